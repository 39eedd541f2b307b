/** A protected connection that no address is shown for: docs/protocol.md, Handshake. */
import { type DialPolicy, duration } from '@showchain/client/core'
import { opensslEndToEnd } from '@showchain/crypto'
import { CHANNEL_BYTE, decode, encode, type Message, OP } from '@showchain/wire'
import { CHANNEL_HEADER_BYTES, HANDSHAKE_KIND, isHandshake, readHandshakePart } from '@showchain/wire/end-to-end'
import { describe, expect, test } from 'vitest'
import { Internet, nat, type SimPeer, type SimRelay, StreamChecker, StreamWriter } from '../../src/index.ts'

const LATENCY = 20

interface Scene {
  readonly internet: Internet
  readonly relay: SimRelay
  /** Who connects. */
  readonly a: SimPeer
  readonly b: SimPeer
}

/** Which end has the smaller id. */
const ORDERS = ['the requester', 'the target'] as const

/** @param smaller which end has the smaller id: names are tried until it is so */
async function scene(smaller: (typeof ORDERS)[number], play: (scene: Scene) => void | Promise<void>): Promise<void> {
  for (let seed = 0; ; seed++) {
    let played = false
    await Internet.run(`relay-only ${seed}`, { latency: duration(LATENCY) }, async (internet) => {
      const [one, two] = ['a', 'b'].map((name) => internet.sim.identity(name).id)
      if ((one as string) < (two as string) !== (smaller === 'the requester')) return
      const relay = await internet.relay()
      const place = { endToEnd: opensslEndToEnd, behind: nat.T3() }
      const a = await internet.simPeer({ name: 'a', ...place })
      const b = await internet.simPeer({ name: 'b', ...place, behind: nat.T3() })
      played = true
      await play({ internet, relay, a, b })
    })
    if (played) return
  }
}

const messageIn = (bytes: Uint8Array): Message | undefined => {
  const decoded = decode(bytes)
  return decoded.ok ? decoded.message : undefined
}

/** The kind of the handshake part in a datagram, however it is carried. */
function kindIn(bytes: Uint8Array): number | undefined {
  const message = bytes[0] === CHANNEL_BYTE ? undefined : messageIn(bytes)
  const data =
    bytes[0] === CHANNEL_BYTE ? bytes.subarray(CHANNEL_HEADER_BYTES) : message && 'data' in message && message.data
  return data && isHandshake(data) ? readHandshakePart(data)?.kind : undefined
}

interface Sent {
  readonly op: number | undefined
  /** Of a handshake part. */
  readonly kind: number | undefined
  readonly empty: boolean
}

/** What a peer has sent since then. */
function sentBy({ internet }: Scene, { host }: SimPeer, since: number): readonly Sent[] {
  return internet.sim.timeline.entries.slice(since).flatMap((entry) => {
    if (entry.type !== 'packet' || entry.from !== host.name) return []
    const { bytes } = entry.packet
    const message = messageIn(bytes)
    const empty = message !== undefined && 'data' in message && message.data.length === 0
    return [{ op: message?.op_code, kind: kindIn(bytes), empty }]
  })
}

describe.each(ORDERS)('a peer that dials by a relay alone, where %s has the smaller id', (smaller) => {
  test('has the connection after seven trips, and its first byte is there after nine', () =>
    scene(smaller, ({ internet, a, b }) => {
      const { clock } = internet.sim
      const checker = new StreamChecker(b)
      const started = clock.now()
      const dialled = a.dialPeer(b, 'relay-only')
      internet.until(() => dialled.ended !== undefined)
      expect(clock.now() - started).toBeLessThan(7 * LATENCY)
      new StreamWriter(a, dialled.link as number).open(1)
      internet.until(() => checker.bytes > 0)
      expect(clock.now() - started).toBeLessThan(9 * LATENCY)
    }))

  test('begins the handshake in its first 0x123, and says nothing that shows its address', () =>
    scene(smaller, async (it) => {
      const { internet, a, b } = it
      const since = internet.sim.timeline.entries.length
      await a.connect(b, 'relay-only')
      internet.advance(duration(1000))
      const sent = sentBy(it, a, since)
      expect(sent.map(({ op }) => op)).not.toContain(OP.punchRequest)
      const messages = sent.filter(({ op }) => op === OP.proxyData)
      expect(messages.map(({ kind, empty }) => [kind, empty])).toEqual([[HANDSHAKE_KIND.first, false]])
      expect(sentBy(it, b, since).flatMap(({ kind }) => kind ?? [])).toEqual([HANDSHAKE_KIND.second])
    }))

  test.each([
    ['relay-only', 'relay-only'],
    ['relay-only', 'auto'],
  ] as const)('has one connection with an end that dials it at once: %s, %s', (ours, theirs) =>
    scene(smaller, ({ internet, a, b }) => {
      const dials = (
        [
          [a, b, ours],
          [b, a, theirs],
        ] as const
      ).map(([from, to, via]) => from.dialPeer(to, via as DialPolicy))
      internet.until(() => dials.every(({ ended }) => ended !== undefined))
      internet.advance(duration(30_000))
      expect(dials.every(({ link }) => link !== undefined)).toBe(true)
      expect(
        [a, b].map(({ open, events }) => [open.length, events.some(({ event }) => event.type === 'closed')]),
      ).toEqual([
        [1, false],
        [1, false],
      ])
      a.send(a.open[0]?.id as number, Uint8Array.of(1))
      b.send(b.open[0]?.id as number, Uint8Array.of(2))
      internet.advance(duration(1000))
      expect([a, b].map(({ arrived }) => arrived.map(({ bytes }) => [...bytes]))).toEqual([[[2]], [[1]]])
    }),
  )

  test('connects with an end of before, which leaves it to the smaller id to begin', () =>
    scene(smaller, async (it) => {
      const { internet, relay, a, b } = it
      const since = internet.sim.timeline.entries.length
      const { network } = internet.sim
      const outside = relay.bound.find(({ id }) => id === a.id)?.at.ip
      // An older requester sends an empty 0x123, which is not signed as a whole. An older target that is
      // the smaller drops the first message of the larger.
      network.filter = (packet, from) => {
        const isFirst = packet.source.ip === outside && kindIn(packet.bytes) === HANDSHAKE_KIND.first
        if (!isFirst || smaller === 'the requester') return true
        const message = messageIn(packet.bytes)
        if (message?.op_code === OP.proxyData)
          network.carry({ ...packet, bytes: encode({ ...message, data: new Uint8Array(0) }, 'binary') }, from)
        return false
      }
      const link = await a.connect(b, 'relay-only')
      internet.until(() => b.open.length === 1)
      a.send(link.id, Uint8Array.of(1))
      internet.advance(duration(1000))
      expect(b.arrived.map(({ bytes }) => [...bytes])).toEqual([[1]])
      const answers =
        smaller === 'the requester' ? [HANDSHAKE_KIND.second] : [HANDSHAKE_KIND.first, HANDSHAKE_KIND.third]
      expect(sentBy(it, b, since).flatMap(({ kind }) => kind ?? [])).toEqual(answers)
    }))

  test('connects though its first 0x123, or the answer to it, is lost several times', () =>
    scene(smaller, async ({ internet, a, b }) => {
      let left = 4
      internet.sim.network.filter = ({ bytes }) => {
        const kind = kindIn(bytes)
        return (kind !== HANDSHAKE_KIND.first && kind !== HANDSHAKE_KIND.second) || left-- <= 0
      }
      await a.connect(b, 'relay-only')
      internet.until(() => b.open.length === 1)
      internet.advance(duration(30_000))
      expect([a.open.length, b.open.length]).toEqual([1, 1])
    }))
})
