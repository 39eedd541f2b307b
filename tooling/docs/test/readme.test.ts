import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { firstExample } from '../src/blocks.ts'
import { PACKAGES } from '../src/files.ts'

describe.each(PACKAGES)('README of $name', ({ readme, example }) => {
  test('its first code block is examples/readme.ts', () => {
    expect(firstExample(readFileSync(readme, 'utf8'))).toBe(readFileSync(example, 'utf8'))
  })

  test('its example runs on the sources', async () => {
    await import(pathToFileURL(example).href)
  })
})
