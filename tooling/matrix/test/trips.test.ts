/** The table of trips in docs/protocol.md, played. */
import { readFileSync } from 'node:fs'
import { type Outcome, PAIRINGS, play } from '@showchain/testkit'
import { expect, test } from 'vitest'

const SEEDS = 20
const page = readFileSync(new URL('../../../docs/protocol.md', import.meta.url), 'utf8')

/** By the first cell: the pair that is played, and what is measured. */
const ROWS: readonly (readonly [
  what: string,
  requester: string,
  target: string,
  of: 'opened' | 'firstByte' | 'direct',
])[] = [
  ['`connect`, both behind T1–T3', 'T3', 'T3', 'opened'],
  ['`connect` when the ticket has an address, that is public', 'T1', 'public', 'opened'],
  ['`connect` to a peer that was met, behind T1', 'T3, met before', 'T1', 'opened'],
  ['first byte through a relay', 'public', 'public, one way only', 'firstByte'],
  ['first byte when the ticket has an address, that is public', 'T1', 'public', 'firstByte'],
  ['first byte, both behind T1–T3', 'T3', 'T3', 'firstByte'],
  ['first byte, the requester new to the relay', 'T3, new to the relay', 'T3', 'firstByte'],
  ['first byte, the requester with a token of the relay', 'T3, with a token', 'T3', 'firstByte'],
  ['direct, both behind T1–T3', 'T3', 'T3', 'direct'],
  ['direct, T4 as the requester', 'T4', 'T2', 'direct'],
  ['direct, T4 as the target', 'T2', 'T4', 'direct'],
  ['direct, behind the same NAT', 'T3', 'same NAT', 'direct'],
]

async function median(requester: string, target: string, of: keyof Outcome, plaintext: boolean): Promise<unknown> {
  const pairing = PAIRINGS.find((each) => each.requester === requester && each.target === target)
  if (pairing === undefined) throw new Error(`no pair ${requester} → ${target}`)
  const trips: unknown[] = []
  for (let seed = 0; seed < SEEDS; seed++) trips.push((await play(pairing, seed, { plaintext }))[of])
  return trips.sort((a, b) => Number(a) - Number(b))[SEEDS / 2]
}

test.each(ROWS)('docs/protocol.md states the trips of: %s', async (what, requester, target, of) => {
  const cells = page
    .split('\n')
    .find((line) => line.startsWith(`| ${what} |`))
    ?.split(' | ')
  expect(cells?.slice(2, 4).map(Number)).toEqual([
    await median(requester, target, of, true),
    await median(requester, target, of, false),
  ])
})
