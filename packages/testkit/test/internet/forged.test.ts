/** What is not signed moves no records: messages in a relay's name to the end of a relayed connection. */
import { duration, type Instant, later } from '@showchain/client/core'
import type { Scheduled } from '@showchain/client/runtime'
import { opensslEndToEnd } from '@showchain/crypto'
import { type Endpoint, encode, type Message, OP, sessionIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Internet, nat, type SimPeer } from '../../src/index.ts'

const INTERVAL = duration(100)
const CHANNEL = 0xb3

interface Scene {
  readonly internet: Internet
  readonly alice: SimPeer
  readonly bob: SimPeer
  /** As the relay would send it to alice. */
  forge(message: Message): void
  /** The session of the last channel frame to alice. */
  session(): Uint8Array
}

/** A relayed connection on which each end sends a datagram each 100 ms. */
async function relayed(play: (scene: Scene) => void): Promise<{ readonly silence: number; readonly lost: number }> {
  let outcome = { silence: Number.POSITIVE_INFINITY, lost: Number.POSITIVE_INFINITY }
  await Internet.run('forged', {}, async (internet) => {
    const relay = await internet.relay()
    const alice = await internet.simPeer({ name: 'alice', behind: nat.T4(), endToEnd: opensslEndToEnd })
    const bob = await internet.simPeer({ name: 'bob', behind: nat.T4(), endToEnd: opensslEndToEnd })
    const link = await alice.connect(bob)
    const { clock, network } = internet.sim
    let toAlice: { readonly destination: Endpoint; readonly session: Uint8Array } | undefined
    let atRelay: Endpoint | undefined
    let from: Parameters<typeof network.carry>[1] | undefined
    network.filter = ({ source, destination, bytes }, station) => {
      if (bytes[0] !== CHANNEL || source.port !== relay.endpoint.port) return true
      const observed = alice.events.findLast(
        ({ event }) => event.type === 'relay' && event.state === 'registered',
      )?.event
      const mapped = observed?.type === 'relay' && 'observed' in observed ? observed.observed : undefined
      if (destination.ip !== mapped?.ip) return true
      toAlice = { destination, session: bytes.slice(1, 17) }
      atRelay = source
      from = station
      return true
    }
    let next: Scheduled | undefined
    const talk = (): void => {
      if (link.closed === undefined) alice.send(link.id, Uint8Array.of(1))
      const theirs = bob.open[0]
      if (theirs !== undefined) bob.send(theirs.id, Uint8Array.of(2))
      next = clock.schedule(later(clock.now(), INTERVAL), talk)
    }
    talk()
    internet.advance(duration(20_000))
    const began = clock.now()
    play({
      internet,
      alice,
      bob,
      forge: (message) => {
        if (toAlice === undefined || atRelay === undefined || from === undefined) throw new Error('no frame yet')
        network.carry({ source: atRelay, destination: toAlice.destination, bytes: encode(message, 'binary') }, from)
      },
      session: () => toAlice?.session ?? new Uint8Array(16),
    })
    internet.advance(duration(1000))
    next?.cancel()
    const times = (peer: SimPeer): readonly Instant[] => peer.arrived.map(({ at }) => at).filter((at) => at >= began)
    const gaps = [alice, bob].map((peer) =>
      Math.max(...times(peer).map((at, index, all) => at - (all[index - 1] ?? began))),
    )
    outcome = { silence: Math.max(...gaps), lost: alice.machine.statistics(link.id)?.lost ?? Number.POSITIVE_INFINITY }
    network.filter = undefined
  })
  return outcome
}

describe.each([
  ['of a session that nobody knows', false, 0],
  ['of a session that nobody knows, with bytes like a record', false, 60],
  ['of the session in use', true, 0],
  ['of the session in use, with bytes like a record', true, 60],
] as const)('a forged 0x124 %s', (_what, known, bytes) => {
  test.each([1, 10])('stops nothing: %d in a second', async (count) => {
    const { silence, lost } = await relayed(({ internet, alice, bob, forge, session }) => {
      for (let index = 0; index < 10 * count; index++) {
        forge({
          op_code: OP.proxyPassData,
          ...{ target: alice.id, id: bob.id, ts: 1_893_456_000_000 + index },
          data: new Uint8Array(bytes).fill(0xb2, 0, 1),
          session: sessionIdFromBytes(known ? session() : new Uint8Array(16).fill(index + 1)),
          // Far ahead of what the other end sends.
          seq: 2 ** 48 - 10_000 + index,
        })
        internet.advance(duration(1000 / count))
      }
    })
    expect(silence).toBeLessThan(300)
    expect(lost).toBe(0)
  })
})
