/** How two ends that share keys find a direct path (docs/protocol.md, Punching). */
import { duration } from '@showchain/client/core'
import { opensslEndToEnd } from '@showchain/crypto'
import { decode, type Endpoint, encode, OP, RECORD_BYTE } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Internet, type NatBehaviour, nat, type Seed, type SimPeer, type SimRelay } from '../../src/index.ts'

interface Scene {
  readonly internet: Internet
  readonly relay: SimRelay
  readonly a: SimPeer
  readonly b: SimPeer
}

const scene = (seed: Seed, behind: () => NatBehaviour, play: (scene: Scene) => Promise<void>): Promise<unknown> =>
  Internet.run(seed, { latency: duration(20) }, async (internet) => {
    const relay = await internet.relay()
    const place = { endToEnd: opensslEndToEnd, behind: behind() }
    const a = await internet.simPeer({ name: 'a', ...place })
    const b = await internet.simPeer({ name: 'b', ...place, behind: behind() })
    await play({ internet, relay, a, b })
  })

/** As the relay sees it. */
const addressOf = ({ bound }: SimRelay, { identity }: SimPeer): Endpoint =>
  bound.find(({ id }) => id === identity.id)?.at as Endpoint

const isDirect = (peer: SimPeer): boolean => peer.open[0]?.path.kind === 'direct'
const isRecord = (bytes: Uint8Array): boolean => bytes[0] === RECORD_BYTE

/** What both ends sent since then to others than the relay. */
function sentBetween({ internet, relay }: Scene, from: number): readonly Uint8Array[] {
  return internet.sim.timeline.entries.slice(from).flatMap((entry) => {
    if (entry.type !== 'packet' || (entry.from !== 'a' && entry.from !== 'b')) return []
    return relay.ips.includes(entry.packet.destination.ip) ? [] : [entry.packet.bytes]
  })
}

test('it takes no signature and no session of a relay: records alone', () =>
  scene('by records', nat.T3, async (it) => {
    const { internet, a, b } = it
    const { entries } = internet.sim.timeline
    const from = entries.length
    await a.connect(b)
    internet.until(() => isDirect(a) && isDirect(b))
    expect(sentBetween(it, from).every(isRecord)).toBe(true)
    const ops = entries.slice(from).flatMap((entry) => {
      const decoded = entry.type === 'packet' ? decode(entry.packet.bytes) : undefined
      return decoded?.ok === true ? [decoded.message.op_code] : []
    })
    expect([...new Set(ops)].sort()).toEqual([OP.punchRequest, OP.punchPassRequest, OP.punchAck, OP.punchPassAck])
  }))

test('an answer to a question of this end is answered without the question again', () =>
  scene('few records', nat.T3, async (it) => {
    const { internet, a, b } = it
    const from = internet.sim.timeline.entries.length
    await a.connect(b)
    internet.until(() => isDirect(a) && isDirect(b))
    const lengths = sentBetween(it, from).map(({ length }) => length)
    // Two questions of the target and one of the requester, and each end's answer with a question.
    expect(lengths.filter((length) => length === 51)).toHaveLength(5)
    // Each end's answer to that.
    expect(lengths.filter((length) => length === 42)).toHaveLength(2)
  }))

test.each([1, 2, 3, 4, 5, 6])('both ends find a path, though the first %i records of one are lost', async (lost) => {
  await scene(`${lost} lost`, nat.T3, async ({ internet, relay, a, b }) => {
    let left = lost
    const outside = addressOf(relay, a).ip
    internet.sim.network.filter = ({ bytes, source, destination }) => {
      const fromA = source.ip === outside && !relay.ips.includes(destination.ip)
      return !fromA || !isRecord(bytes) || left-- <= 0
    }
    await a.connect(b)
    internet.until(() => isDirect(a) && isDirect(b))
    expect(left).toBeLessThan(0)
  })
})

describe('who forges keep-alives of the other end', () => {
  /** No attempt probes then, between the second upgrade of a relayed connection and the third. */
  const QUIET = 80_000

  test('gets a record of the same length each 3 s at most, twice as late each time', () =>
    scene('forged 0x100', nat.T1, async ({ internet, relay, a, b }) => {
      const stranger = internet.host('stranger')
      const passes = ({ ip }: Endpoint): boolean => relay.ips.includes(ip) || stranger.ips.includes(ip)
      internet.sim.network.filter = ({ source, destination }) => passes(source) || passes(destination)
      await a.connect(b)
      internet.advance(duration(QUIET))
      const socket = stranger.socket(6666)
      const answers: number[] = []
      socket.onDatagrams((batch) => void answers.push(...batch.map(({ bytes }) => bytes.length)))
      const forged = encode({ op_code: OP.keepAlive, id: b.identity.id, seq: 0, ts: 0 }, 'binary')
      const to = addressOf(relay, a)
      for (let times = 0; times < 80; times++) {
        socket.send(to, forged)
        internet.advance(duration(100))
      }
      expect(answers).toEqual([forged.length, forged.length])
      await socket.close()
    }))
})

test('questions to the other addresses of an end do not move data from one to the next', () =>
  Internet.run('several addresses', { latency: duration(5) }, async (internet) => {
    await internet.relay()
    const place = { endToEnd: opensslEndToEnd, behind: internet.router({ nat: nat.T3(), ipv6: true }) }
    const a = await internet.simPeer({ name: 'a', ...place })
    const b = await internet.simPeer({ name: 'b', ...place })
    await a.connect(b)
    internet.advance(duration(10_000))
    for (const peer of [a, b]) expect(peer.open[0]?.paths.map(({ kind }) => kind)).toEqual(['relay', 'direct'])
  }))
