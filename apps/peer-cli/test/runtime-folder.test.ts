/** Where running programs keep their sockets: in a folder of this user's alone, or nowhere. */
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import { Folder } from '@showchain-tooling/vitest/programs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { runtimeFolder } from '../src/runtime-folder.ts'

let folder: Folder
beforeEach(() => {
  folder = new Folder()
  vi.stubEnv('XDG_RUNTIME_DIR', folder.path)
})
afterEach(() => {
  vi.unstubAllEnvs()
  folder.remove()
})

test('it is made when it is wanted, and not by one who only looks', () => {
  expect(runtimeFolder(false)).toBeUndefined()
  expect(runtimeFolder(true)).toBe(folder.file('showchain'))
  expect(runtimeFolder(false)).toBe(folder.file('showchain'))
})

test.each([0o701, 0o710, 0o755, 0o777])('one that others get at, with mode %o, is not used', (mode) => {
  mkdirSync(folder.file('showchain'))
  chmodSync(folder.file('showchain'), mode)
  expect(runtimeFolder(true)).toBeUndefined()
})

test('a link to a folder is not used', () => {
  mkdirSync(folder.file('elsewhere'), { mode: 0o700 })
  symlinkSync(folder.file('elsewhere'), folder.file('showchain'))
  expect(runtimeFolder(true)).toBeUndefined()
})

test('without a folder of the session it is one of the user in that for temporary files', () => {
  vi.stubEnv('XDG_RUNTIME_DIR', '')
  vi.stubEnv('TMPDIR', folder.path)
  expect(runtimeFolder(true)).toMatch(/\/showchain-\d+$/)
  expect(runtimeFolder(true)).toContain(folder.path)
})
