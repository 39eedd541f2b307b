import { describe, expect, test } from 'vitest'
import { memoryFindings } from '../src/memory.ts'

const GIB = 2 ** 30
const usage = { rss: 600 * 2 ** 20, used: 300 * 2 ** 20 }
const report = { before: { rss: 0, used: 0 }, filled: usage, settled: usage, registerSeconds: 20, keepAlives: [1] }

describe('the memory of a relay', () => {
  test('a relay that once took a GiB fails the run', () => {
    expect(memoryFindings(100_000, { ...report, peak: GIB }).failed).toMatch(/100,000 bindings took 1024 MiB/)
  })

  test('one that took a byte less does not', () => {
    expect(memoryFindings(100_000, { ...report, peak: GIB - 1 }).failed).toBeUndefined()
  })
})
