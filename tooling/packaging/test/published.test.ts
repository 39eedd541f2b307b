import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { publint } from 'publint'
import { describe, expect, inject, test } from 'vitest'
import { LIBRARIES, type Manifest, PACKAGES, run } from './tarballs.ts'

const ATTW = join(
  dirname(createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json')),
  'dist',
  'index.js',
)

const folder = inject('tarballs')

describe.each(PACKAGES)('the tarball of $name', ({ tarball, manifest }) => {
  test('publint finds nothing to say', async () => {
    const file = await readFile(join(folder, tarball))
    const bytes = file.buffer.slice(file.byteOffset, file.byteOffset + file.byteLength)
    const { messages } = await publint({ pack: { tarball: bytes } })
    expect(messages).toEqual([])
  })

  test('holds what was built, its sources and its papers, and nothing else', async () => {
    const { stdout } = await run('tar', ['-tzf', join(folder, tarball)])
    const files = stdout.trim().split('\n')
    const papers = ['package/LICENSE', 'package/README.md', 'package/package.json']
    expect(files).toEqual(expect.arrayContaining(papers))
    const other = files.filter((file) => !/^package\/(dist|src|bin|vectors)\//.test(file) && !papers.includes(file))
    expect(other).toEqual([])
    expect(files.filter((file) => /tsbuildinfo|\.test\.|\/\./.test(file))).toEqual([])
  })

  test('its manifest names released versions only', async () => {
    const { stdout } = await run('tar', ['-xzOf', join(folder, tarball), 'package/package.json'])
    const packed = JSON.parse(stdout) as Manifest
    expect(Object.keys(packed.dependencies ?? {}).sort()).toEqual(Object.keys(manifest.dependencies ?? {}).sort())
    for (const range of Object.values(packed.dependencies ?? {})) expect(range).toMatch(/^\^\d+\.\d+\.\d+$/)
  })
})

describe.each(LIBRARIES)('the types of $name', ({ tarball }) => {
  test('are right for every ESM resolver', async () => {
    const args = [ATTW, join(folder, tarball), '--profile', 'esm-only', '--no-color', '--no-emoji']
    const verdict = await run(process.execPath, args).then(
      () => 'right',
      (error: { stdout: string }) => error.stdout,
    )
    expect(verdict).toBe('right')
  })
})
