/** What the end of a connection is called, by the code that the other end gave. */
import type { Connection } from '@showchain/client'
import { expect, test } from 'vitest'
import { endWords, failureOf, GOODBYE } from '../src/goodbye.ts'

const remote = (code: number, said = '') => ({
  by: 'remote' as const,
  code,
  reason: `closed by the remote peer${code === 0 ? '' : ` with code ${code}`}${said}`,
})

test.each([
  [remote(GOODBYE.whole), 'closed by the remote peer'],
  [remote(GOODBYE.incomplete), 'the program at the other end stopped'],
  [
    remote(GOODBYE.incomplete, ': interrupted by SIGINT'),
    'the program at the other end stopped: interrupted by SIGINT',
  ],
  [
    remote(GOODBYE.busy, ': busy with another connection'),
    'the remote peer is busy: it serves one connection at a time',
  ],
  [remote(GOODBYE.sent), 'the program at the other end only sends (--send-only)'],
  [remote(GOODBYE.refused, ': not let in'), 'the remote peer did not let this one in'],
  // Of another program, which may tell the number to its own people.
  [remote(7, ': quota'), 'closed by the remote peer with code 7: quota'],
  [{ by: 'local', code: GOODBYE.incomplete, reason: 'closed by this side: x' }, 'closed by this side: x'],
] as const)('%j is told as %s', (end, words) => {
  expect(endWords(end)).toBe(words)
})

test.each([
  [remote(GOODBYE.busy), 'ERR_REMOTE_BUSY', 3],
  [remote(GOODBYE.refused), 'ERR_NOT_LET_IN', 3],
  [remote(GOODBYE.incomplete), 'ERR_INCOMPLETE', 1],
  [undefined, 'ERR_INCOMPLETE', 1],
] as const)('%j where something was missing fails with %s', (end, code, exitCode) => {
  expect(failureOf({ end } as Connection)).toMatchObject({ code, exitCode })
})
