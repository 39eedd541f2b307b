/** What a relay shows of its peers and sessions. */
import { type Instant, instant } from '@showchain/client/endpoint'
import type { Clock } from '@showchain/client/runtime'
import { type PeerId, peerIdFromBytes, type SessionId, sessionIdToBytes } from '@showchain/wire'
import { CHANNEL_HEADER_BYTES, writeChannelHeader } from '@showchain/wire/end-to-end'
import { describe, expect, test } from 'vitest'
import { Bindings } from '../src/core/bindings.ts'
import { relayLimits } from '../src/core/limits.ts'
import { PairPaths } from '../src/core/pair-paths.ts'
import { ProxySessionTable } from '../src/core/proxy-session-table.ts'
import { RelayView } from '../src/core/relay-view.ts'
import { Traffic } from '../src/core/traffic.ts'
import { RelayWatch } from '../src/runtime/relay-watch.ts'
import { Bed, openSession, type TestPeer } from './relay-bed.ts'

function carry(bed: Bed, from: TestPeer, session: SessionId, length: number): void {
  const frame = new Uint8Array(CHANNEL_HEADER_BYTES + length)
  writeChannelHeader(frame, sessionIdToBytes(session))
  bed.machine.receive({ bytes: frame, source: from.source }, bed.now)
  for (let output = bed.machine.poll(); output !== undefined; output = bed.machine.poll());
}

describe('peers', () => {
  test('are shown with their address and for how long they were silent', () => {
    const bed = new Bed()
    const [first, second] = [bed.registered(), bed.registered()]
    bed.pass(5000)
    bed.register(second)
    expect(bed.machine.view.peers(10, bed.now)).toEqual([
      { id: first.id, at: first.source, websocket: false, quiet: 5000 },
      { id: second.id, at: second.source, websocket: false, quiet: 0 },
    ])
  })

  test('are a sample of all of them, and none that has left', () => {
    const bed = new Bed()
    for (let count = 0; count < 20; count++) bed.registered()
    expect(bed.machine.view.peers(5, bed.now)).toHaveLength(5)
    bed.pass(61_000)
    expect(bed.machine.view.peers(5, bed.now)).toEqual([])
  })

  test('are found by how their id begins', () => {
    const bed = new Bed()
    const peers = Array.from({ length: 8 }, () => bed.registered())
    const { view } = bed.machine
    const named = (beginning: string): readonly PeerId[] =>
      view.named(beginning, 0, view.rows, bed.now).map(({ id }) => id)
    for (const { id } of peers) expect(named(id.slice(0, 8))).toEqual([id])
    expect(named('')).toHaveLength(peers.length)
    expect(named('________')).toEqual([])
  })
})

describe('sessions', () => {
  test('are shown in the order of what they carried, and not when it was nothing', () => {
    const bed = new Bed({ limits: { sessionsPerId: 100 } })
    const [r, t] = [bed.registered(), bed.registered()]
    const sessions = [10, 500, 0, 70, 300].map((length) => {
      const session = openSession(bed, r, t)
      if (length > 0) carry(bed, t, session, length)
      return session
    })
    bed.pass(2000)
    const shown = (most: number): readonly SessionId[] =>
      bed.machine.view.busiest(most, bed.now).map(({ session }) => session)
    expect(shown(3)).toEqual([sessions[1], sessions[4], sessions[3]])
    expect(shown(9)).toEqual([sessions[1], sessions[4], sessions[3], sessions[0]])
    expect(bed.machine.view.busiest(1, bed.now)).toEqual([
      {
        session: sessions[1],
        requester: r.id,
        target: t.id,
        introduced: false,
        answered: true,
        bytes: 500 + CHANNEL_HEADER_BYTES,
        age: 2000,
        idle: 2000,
      },
    ])
  })

  test('of a pair are those of one with the other, the one used last first', () => {
    const bed = new Bed()
    const [r, t, u] = [bed.registered(), bed.registered(), bed.registered()]
    const forth = openSession(bed, r, t)
    openSession(bed, r, u)
    bed.pass(1000)
    const back = openSession(bed, t, r)
    bed.pass(1000)
    carry(bed, t, forth, 10)
    const [one, other] = [r, t].map(({ id }) => bed.machine.view.named(id, 0, 100, bed.now)[0])
    if (one === undefined || other === undefined) throw new Error('They are registered.')
    const pair = bed.machine.view.pair(one, other, bed.now)
    expect(pair).toMatchObject({ sameFamily: true, sameAddress: false })
    expect(pair.sessions.map(({ session, idle }) => [session, idle])).toEqual([
      [forth, 0],
      [back, 1000],
    ])
  })
})

describe('with 100,000 peers and 50,000 sessions', () => {
  /** Milliseconds that an answer may take at most. */
  const MOST = 200
  const PEERS = 100_000
  const now: Instant = instant(1000)

  const idOf = (number: number): PeerId => {
    const bytes = new Uint8Array(32)
    new DataView(bytes.buffer).setUint32(0, Math.imul(number, 0x9e3779b1))
    return peerIdFromBytes(bytes)
  }
  function filled(): RelayView {
    const limits = relayLimits({ bindingsPerSource: PEERS })
    const bindings = new Bindings({ limits, ended: () => {} })
    const sessions = new ProxySessionTable({ limits, bindings, opened: () => {}, ended: () => {} })
    for (let number = 0; number < PEERS; number++) {
      const source = { ip: '198.51.100.1', port: 1 + (number % 65_000) }
      bindings.bind(
        { id: idOf(number), source, encoding: 'binary', spki: new Uint8Array(0), knowsExtensions: true },
        now,
      )
    }
    for (let number = 0; number < PEERS; number += 2) {
      const id = new Uint8Array(16)
      new DataView(id.buffer).setUint32(0, Math.imul(number, 0x85ebca6b))
      const pair = { requester: idOf(number), target: idOf(number + 1), introduced: true }
      const { row } = sessions.open(id, pair, now)
      sessions.carry(row, number, now)
    }
    return new RelayView(bindings, sessions, new Traffic(), new PairPaths(limits.sessions))
  }

  test('no answer takes long, and no turn of the loop', async () => {
    const view = filled()
    const clock: Pick<Clock, 'now'> = { now: () => now }
    const watch = new RelayWatch(view, clock)
    /** By the processor time of this process: others may use the same cores. */
    const took = (ask: () => unknown): number => {
      const before = process.cpuUsage()
      ask()
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1000
    }
    expect(took(() => watch.peers(50))).toBeLessThan(MOST)
    expect(took(() => watch.busiest(50))).toBeLessThan(MOST)
    expect(watch.peers(50).length).toBeGreaterThan(40)
    expect(watch.busiest(2).map(({ bytes }) => bytes)).toEqual([PEERS - 2, PEERS - 4])
    const last = idOf(PEERS - 1)
    const search = watch.named(last, 2)
    let [turns, done] = [0, false]
    const found = search.then((peers) => {
      done = true
      return peers
    })
    for (; !done; turns++) await new Promise(setImmediate)
    expect((await found).map(({ id }) => id)).toEqual([last])
    // Others had their turn all the while.
    expect(turns).toBeGreaterThan(20)
  })
})
