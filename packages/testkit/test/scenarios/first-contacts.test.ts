/**
 * First contacts between ends of every kind: RSA sizes, and ends that speak only the seed. Each is played
 * with the ledger of bytes to addresses that have not proved themselves.
 */
import type { DialPolicy } from '@showchain/client/core'
import { duration } from '@showchain/client/core'
import { nodeEndToEnd } from '@showchain/crypto'
import type { KeyBits } from '@showchain/crypto/core'
import { OP } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import type { SimPeer, SimPeerOptions, SimRelay } from '../../src/index.ts'
import { flow, isOver } from './exchange.ts'
import { Lab } from './lab.ts'

const SIZES: readonly KeyBits[] = [2048, 3072, 4096]
const PAIRS = SIZES.flatMap((from) => SIZES.map((to) => [from, to] as const))
const HOUR = 3_600_000

const keyed = (lab: Lab, name: string, bits: KeyBits): SimPeerOptions => ({
  endToEnd: nodeEndToEnd(),
  identity: lab.sim.provider.identity(name, bits),
})

/** Alice dials bob, both send something, and hang up. */
function call(lab: Lab, alice: SimPeer, bob: SimPeer, policy: DialPolicy, relays: readonly SimRelay[]): void {
  const dialled = alice.dial(bob.id, policy, { relays, addresses: relays.length === 0 ? [bob.endpoint] : [] })
  lab.until(() => dialled.link !== undefined && bob.open.length > 0)
  const link = (peer: SimPeer) => () => peer.open[0]?.id as number
  const how = { wanted: 5, pause: duration(20) }
  const flows = [flow(lab, alice, bob, link(alice), how), flow(lab, bob, alice, link(bob), how)]
  lab.until(() => flows.every(isOver))
  expect(flows.flatMap(({ deliveries }) => deliveries.filter(({ failure }) => failure !== undefined))).toEqual([])
  for (const peer of [alice, bob]) for (const { id } of peer.open) peer.closeConnection(id)
  lab.until(() => alice.open.length === 0 && bob.open.length === 0)
}

describe('a stranger dials a peer at its address', () => {
  test.each(PAIRS)('with RSA-%i, one with RSA-%i: the answer has a hello, and there is no challenge', (from, to) =>
    Lab.run(`sizes ${from} ${to}`, {}, (lab) => {
      const bob = lab.peer('bob', '93.4.0.1', keyed(lab, 'bob', to))
      lab.advance(10)
      const alice = lab.peer('alice', '81.2.0.1', keyed(lab, 'alice', from))
      call(lab, alice, bob, 'direct', [])
      expect(lab.sightings(OP.challenge)).toEqual([])
      const [answer] = lab.sightings(OP.directResponse)
      expect(answer?.message.ext?.hello).toBeDefined()
      // RSA-4096 leaves no room for a token.
      expect(answer?.message.ext?.token === undefined).toBe(to === 4096)
    }),
  )

  test.each([
    ['seed', 'new'],
    ['new', 'seed'],
    ['seed', 'seed'],
    ['plaintext', 'new'],
  ])('one that is %s, one that is %s', (ours, theirs) =>
    Lab.run(`kinds ${ours} ${theirs}`, {}, (lab) => {
      const knownKeys = ['alice', 'bob', 'relay'].map((name) => lab.sim.identity(name).publicKey)
      const kind = (what: string): SimPeerOptions => (what === 'seed' ? { seedMode: true, knownKeys } : { knownKeys })
      const relay = lab.relay('relay', '5.9.0.1', { knownKeys })
      const bob = lab.peer('bob', '93.4.0.1', kind(theirs))
      lab.advance(10)
      const alice = lab.peer('alice', '81.2.0.1', kind(ours))
      lab.registered(relay, alice, bob)
      // Seed-only ends have data through a proxy alone.
      const seed = ours === 'seed' || theirs === 'seed'
      call(lab, alice, bob, seed ? 'auto' : 'direct', seed ? [relay] : [])
      const told = lab.sightings(OP.challenge).filter(({ from, to }) => from === 'bob' && to === 'alice')
      // Without keys a stranger could not prove its address later.
      expect(told.length > 0).toBe(!seed)
    }),
  )
})

describe('a dial at a relay that does not know the requester', () => {
  const ALL = PAIRS.flatMap(([from, to]) => [2048, 4096].map((relay) => [from, to, relay as KeyBits] as const))

  test.each(ALL)('with RSA-%i, to one with RSA-%i, by a relay with RSA-%i: first, and with a token', (from, to, by) =>
    Lab.run(`flights ${from} ${to} ${by}`, {}, (lab) => {
      const relay = lab.relay('relay', '5.9.0.1', { identity: lab.sim.provider.identity('relay', by) })
      const bob = lab.peer('bob', '93.4.0.1', keyed(lab, 'bob', to))
      lab.registered(relay, bob)
      const alice = lab.peer('alice', '81.2.0.1', keyed(lab, 'alice', from))
      const flightOf = (): readonly number[] => {
        const since = lab.sim.clock.now()
        call(lab, alice, bob, 'auto', [relay])
        return lab
          .sightings(OP.directRequest, OP.punchRequest, OP.challenge)
          .filter(({ at, from, to }) => at >= since && [from, to].sort().join() === 'alice,relay')
          .map(({ message }) => message.op_code)
      }
      const [hello, challenge, again, introduction] = flightOf()
      expect([hello, challenge]).toEqual([OP.directRequest, OP.challenge])
      expect([again, introduction]).toEqual([OP.directRequest, OP.punchRequest])
      lab.advance(HOUR)
      const [registration, beside, ...more] = flightOf()
      expect([registration, beside]).toEqual([OP.directRequest, OP.punchRequest])
      expect(more).not.toContain(OP.challenge)
    }),
  )

  test('in seed mode registers as before, at a relay that knows its key', () =>
    Lab.run('seed', {}, (lab) => {
      const knownKeys = ['alice', 'bob'].map((name) => lab.sim.identity(name).publicKey)
      const relay = lab.relay('relay', '5.9.0.1', { knownKeys })
      const known = { seedMode: true, knownKeys: [...knownKeys, relay.identity.publicKey] }
      const bob = lab.peer('bob', '93.4.0.1', known)
      lab.registered(relay, bob)
      const alice = lab.peer('alice', '81.2.0.1', known)
      // The ledger of the relay knows that the signature of these stands for a proof.
      call(lab, alice, bob, 'auto', [relay])
      expect(lab.sightings(OP.challenge)).toEqual([])
      for (const { message } of lab.sightings()) expect(message.ext).toBeUndefined()
    }))
})
