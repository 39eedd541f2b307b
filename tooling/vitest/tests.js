// Which tests a run has: those of the tag `long` are `pnpm test:long`'s, all others `npm test`'s. And where tests of a kind are.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const LONG = 'long'
export const LONG_VARIABLE = 'SHOWCHAIN_LONG'
export const isLong = Boolean(process.env[LONG_VARIABLE])

export const LONG_FILES = /\btags: \[?'long'/
export const RANDOM_FILES = /from '(?:fast-check|@showchain-tooling\/vitest\/random)'/

export function testFiles(folder, pattern) {
  if (!existsSync(join(folder, 'test'))) return []
  return readdirSync(join(folder, 'test'), { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${name.replaceAll('\\', '/')}`)
    .filter((name) => pattern.test(readFileSync(join(folder, name), 'utf8')))
    .sort()
}

// Tests of the other run are reported as skipped too.
export function skippedFor(tests, long) {
  const counts = new Map()
  for (const { status, tags, meta } of tests) {
    if (status !== 'skipped' && status !== 'pending' && status !== 'todo') continue
    if (tags.includes(LONG) !== long) continue
    counts.set(meta.missing, (counts.get(meta.missing) ?? 0) + 1)
  }
  return counts
}

export const showSkipped = ([missing, count]) =>
  `skipped: ${missing ?? 'no reason given'}, ${count} ${count === 1 ? 'test' : 'tests'}`
