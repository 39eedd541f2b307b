import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { examplesOf } from '../src/blocks.ts'
import { PACKAGES } from '../src/files.ts'

describe.each(PACKAGES)('README of $name', ({ readme, examples }) => {
  test('its TypeScript is that of examples/, readme.ts first', () => {
    const shown = examplesOf(readFileSync(readme, 'utf8'))
    const files = examples.map((path) => readFileSync(path, 'utf8'))
    expect(shown[0]).toBe(files[0])
    expect([...shown].sort()).toEqual([...files].sort())
  })

  test.each(examples.map((path) => [basename(path), path]))(
    'its example %s runs on the sources',
    async (_name, path) => {
      await import(pathToFileURL(path).href)
    },
  )
})
