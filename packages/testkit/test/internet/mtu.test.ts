/** How large the records of two peers are, whose paths lose at random, are narrow, or become so. */
import { duration } from '@showchain/client/core'
import { opensslEndToEnd } from '@showchain/crypto'
import { CHANNEL_BYTE } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Internet, nat, type SimPeer } from '../../src/index.ts'
import { StreamChecker, StreamWriter } from '../../src/internet/sim-streams.ts'

const WIDE = 1452
const IPV4_UDP_HEADERS = 28
const SLICE = duration(100)
/** More than is sent in the time that a test takes. */
const ENDLESS = 1e9

interface World {
  readonly internet: Internet
  /** Bytes of a full record of each end, and bytes that came there. */
  readonly mtus: () => (number | undefined)[]
  readonly came: () => number[]
  /** IP packets of each end that are larger than this vanish. */
  narrow(sizes: readonly number[]): void
}

interface Setting {
  readonly loss?: number
  /** Bytes of an IP packet that every path takes. */
  readonly mtu?: number
  /** The same of the hosts' links, which send no fragments. */
  readonly linkMtu?: number
  readonly relayed?: boolean
}

/** Two peers with a direct path, or a relayed one, and an endless stream each way. */
async function play(
  seed: string,
  { loss = 0, mtu = 1500, linkMtu, relayed = false }: Setting,
  scenario: (world: World) => void,
): Promise<void> {
  // As much time for a full packet on each line.
  const wider = mtu > 1500 ? 6 : 1
  const conditions = { latency: duration(20), bandwidth: wider * 2e6, queue: wider * 20_000, mtu }
  await Internet.run(seed, conditions, async (internet) => {
    await internet.relay()
    const routers = [internet.router({ nat: nat.T2() }), internet.router({ nat: nat.T2() })] as const
    const [a, b] = (await Promise.all(
      routers.map((behind, index) => internet.simPeer({ name: 'ab'[index], behind, endToEnd: opensslEndToEnd })),
    )) as [SimPeer, SimPeer]
    for (const { host } of linkMtu === undefined ? [] : [a, b]) {
      host.linkMtu = linkMtu
      host.network.conditions = { mtu: Math.max(mtu, linkMtu ?? 0) }
    }
    const link = await a.connect(b, relayed ? 'relay-only' : 'auto')
    const kind = relayed ? 'relay' : 'direct'
    internet.until(() => link.path.kind === kind && b.open[0]?.path.kind === kind)
    const ends = [a, b].map((peer) => ({ peer, link: peer.open[0]?.id ?? -1, checker: new StreamChecker(peer) }))
    internet.sim.network.conditions = { loss }
    for (const end of ends) new StreamWriter(end.peer, end.link).open(ENDLESS)
    scenario({
      internet,
      mtus: () => ends.map((end) => end.peer.machine.statistics(end.link)?.mtu),
      came: () => ends.map(({ checker }) => checker.bytes),
      narrow: (sizes) => {
        internet.sim.network.filter = (packet, from) => {
          const size = sizes[routers.findIndex(({ name }) => name === from.name)]
          return size === undefined || packet.bytes.length + IPV4_UDP_HEADERS <= size
        }
      },
    })
    expect(ends.map(({ checker }) => checker.wrong)).toEqual([0, 0])
  })
}

// Where the line loses nothing, a full queue does: seldom enough to be taken for a narrower path.
test.each([
  [0, 1500, WIDE, 0.95],
  [0.1, 1500, WIDE, 0.95],
  [0.2, 1500, WIDE, 0.95],
  [0.3, 1500, WIDE, 0.95],
  [0, 1300, 1232, 0.95],
  [0.1, 1300, 1232, 0.95],
  [0.2, 1300, 1232, 0.95],
  [0.3, 1300, 1232, 0.9],
])('loss %d, IP packets of %d bytes: records of %d bytes within 3 s, kept for %d of the time', async (...row) => {
  const [loss, mtu, full, kept] = row
  await play(`mtu ${loss} ${mtu}`, { loss, mtu }, ({ internet, mtus }) => {
    internet.until(() => mtus().every((size) => size === full), duration(3000))
    let [there, back] = [0, 0]
    for (let slice = 0; slice < 50; slice++) {
      internet.advance(SLICE)
      const [first, second] = mtus()
      if (first === full) there++
      if (second === full) back++
    }
    expect(Math.min(there, back)).toBeGreaterThanOrEqual(kept * 50)
  })
})

test.each([
  { name: 'there', loss: 0, sizes: [1300, 1500], next: [1232, WIDE] },
  { name: 'back', loss: 0.1, sizes: [1500, 1230], next: [WIDE, 1200] },
  { name: 'both ways, as much', loss: 0.2, sizes: [1300, 1300], next: [1232, 1232] },
  { name: 'both ways, one more', loss: 0.3, sizes: [1400, 1230], next: [1352, 1200] },
] as const)('a path that becomes narrower $name, at a loss of $loss: the stream goes on', async (row) => {
  const { name, loss, sizes, next } = row
  await play(`narrows ${name}`, { loss }, ({ internet, mtus, came, narrow }) => {
    internet.until(() => mtus().every((size) => size === WIDE), duration(3000))
    narrow(sizes)
    // Down to what passes within two seconds, and bytes come meanwhile.
    internet.until(() => mtus().every((mtu, end) => (mtu ?? 0) + IPV4_UDP_HEADERS <= (sizes[end] ?? 0)), duration(2000))
    const before = came()
    internet.advance(duration(2000))
    expect(came().map((bytes, end) => bytes > (before[end] ?? 0) + 20_000)).toEqual([true, true])
    internet.until(() => mtus().every((size, end) => size === next[end]), duration(8000))
    internet.sim.network.filter = undefined
  })
})

describe('a host whose socket sends no fragments', () => {
  const JUMBO = 8952

  test.each([
    ['a link with jumbo frames', 9000, 9000, JUMBO, 0],
    ['such a link on the way to a narrower one', 9000, 1500, 1500 - IPV4_UDP_HEADERS, 16],
    ['a tunnel', 1500, 1420, 1420 - IPV4_UDP_HEADERS, 16],
    ['a link that is wider than any record', 65_536, 65_536, JUMBO, 0],
    ['a link that says less than it takes', 576, 1500, WIDE, 0],
  ])('finds the size of %s, and never exceeds it', async (name, linkMtu, mtu, most, close) => {
    await play(`whole ${name}`, { mtu, linkMtu }, ({ internet, mtus, came }) => {
      internet.until(() => mtus().every((size) => (size ?? 0) >= most - close), duration(10_000))
      internet.advance(duration(2000))
      expect(mtus().every((size) => size !== undefined && size <= most)).toBe(true)
      const before = came()
      internet.advance(duration(1000))
      expect(came().every((bytes, end) => bytes > (before[end] ?? 0) + 100_000)).toBe(true)
    })
  })

  test('comes back from a path that becomes narrower in one step', async () => {
    await play('whole, narrows', { mtu: 9000, linkMtu: 9000 }, ({ internet, mtus, narrow }) => {
      internet.until(() => mtus().every((size) => size === JUMBO), duration(3000))
      narrow([1500, 1500])
      const most = 1500 - IPV4_UDP_HEADERS
      internet.until(() => mtus().every((size) => size !== undefined && size <= most), duration(3000))
      internet.until(() => mtus().every((size) => (size ?? 0) > most - 16), duration(10_000))
      internet.sim.network.filter = undefined
    })
  })

  test('sends a relay no more than it forwards', async () => {
    await play('whole, relayed', { mtu: 9000, linkMtu: 9000, relayed: true }, ({ internet, mtus }) => {
      internet.advance(duration(10_000))
      const sent = internet.sim.timeline.entries.flatMap((entry) =>
        entry.type === 'packet' && entry.packet.bytes[0] === CHANNEL_BYTE ? [entry.packet.bytes.length] : [],
      )
      expect([mtus(), Math.max(...sent)]).toEqual([[1435, 1435], WIDE])
    })
  })
})
