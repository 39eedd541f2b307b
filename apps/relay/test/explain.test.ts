/** Why a pair is relayed: each thing that a relay can know has its sentence. */
import { duration } from '@showchain/client/endpoint'
import type { PairView, PeerView, SessionView } from '@showchain/server/runtime'
import type { PeerId, SessionId } from '@showchain/wire'
import { expect, test } from 'vitest'
import { explain } from '../src/explain.ts'

const [ALICE, BOB] = ['alice678', 'bobby678'] as PeerId[] as [PeerId, PeerId]
const peer = (id: PeerId, more: Partial<PeerView> = {}): PeerView => ({
  ...{ id, at: { ip: '198.51.100.1', port: 4000 }, websocket: false, quiet: duration(0) },
  ...more,
})
const session = (more: Partial<SessionView> = {}): SessionView => ({
  ...{ session: 's' as SessionId, requester: ALICE, target: BOB, introduced: true, answered: true },
  ...{ bytes: 12_345, age: duration(60_000), idle: duration(0) },
  ...more,
})
const said = (
  sessions: readonly SessionView[],
  pair: Partial<PairView> = {},
  peers = [peer(ALICE), peer(BOB)],
): string =>
  explain(peers as [PeerView, PeerView], { sameFamily: true, sameAddress: false, sessions, ...pair }).join(' ')

test('no session', () => {
  expect(said([])).toMatch(/^They have no session here/)
})

test('a target that has not answered', () => {
  expect(said([session({ answered: false })])).toMatch(/^bobby678 has not answered alice678/)
})

test('a session that is not used any more', () => {
  expect(said([session({ idle: duration(10_000) })])).toMatch(
    /^They are not relayed now: nothing was forwarded for 10 s/,
  )
  expect(said([session({ idle: duration(9_999) })])).toMatch(/^They are relayed/)
})

test('the session that was used last counts', () => {
  expect(said([session(), session({ answered: false })])).toMatch(/^They are relayed: 12,345 bytes in 60 s/)
})

test.each([
  ['forwarding was asked for', said([session({ introduced: false })]), /alice678 asked for forwarding/],
  ['two families', said([session()], { sameFamily: false }), /IPv4 and the other by IPv6/],
  ['one public address', said([session()], { sameAddress: true }), /behind one NAT/],
  ['they have just met', said([session({ age: duration(5000) })]), /They met 5 s ago/],
  [
    'a WebSocket',
    said([session()], {}, [peer(ALICE), peer(BOB, { websocket: true })]),
    /bobby678 is here by WebSocket/,
  ],
  ['nothing else is known', said([session()]), /no direct path opened/],
])('%s', (_, sentences, expected) => {
  expect(sentences).toMatch(expected)
})

test('what is certain leaves no room for guesses', () => {
  const sentences = said([session({ introduced: false })], { sameFamily: false, sameAddress: true })
  expect(sentences).not.toMatch(/no direct path opened/)
})
