/** One connection at both of its ends: how it opens, carries data, and ends. */
import { sameEndpoint } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { RECOVERY_TIME } from '../../src/core/index.ts'
import { TwoPeers } from './two-peers.ts'

const SECOND = 1000
const HELLO = Uint8Array.of(1, 2, 3)

describe('a connection', () => {
  test('opens at both ends when both have the keys; one of them is told that it is incoming', () => {
    const peers = new TwoPeers().connected()
    expect(peers.a.eventsOf('open')).toMatchObject([
      { remoteId: peers.b.signer.id, incoming: false, path: { kind: 'direct', remote: peers.b.address } },
    ])
    expect(peers.b.eventsOf('open')).toMatchObject([{ remoteId: peers.a.signer.id, incoming: true }])
  })

  test('carries datagrams both ways, and nothing of them is readable', () => {
    const peers = new TwoPeers().connected()
    const secret = new TextEncoder().encode('what nobody else may read')
    peers.a.send(secret)
    peers.advance(SECOND)
    peers.b.send(HELLO)
    peers.advance(SECOND)
    expect(peers.b.eventsOf('datagram').map(({ bytes }) => new Uint8Array(bytes))).toEqual([secret])
    expect(peers.a.eventsOf('datagram').map(({ bytes }) => new Uint8Array(bytes))).toEqual([HELLO])
    const readable = peers.sent.filter(({ bytes }) => Buffer.from(bytes).includes(Buffer.from(secret)))
    expect(readable).toEqual([])
    expect(peers.a.outcomes).toEqual(['sent'])
  })

  test('refuses a datagram that its path does not take, and goes on', () => {
    const peers = new TwoPeers().connected()
    const most = peers.a.machine.maxDatagramSize(peers.a.connection)
    peers.a.send(new Uint8Array(most + 1))
    peers.a.send(new Uint8Array(most))
    peers.advance(SECOND)
    expect(peers.a.outcomes).toEqual(['ERR_TOO_LARGE', 'sent'])
    expect(peers.b.eventsOf('datagram').map(({ bytes }) => bytes.length)).toEqual([most])
  })

  test('is none between an end that protects its data and one that does not: neither takes what the other sends', () => {
    const peers = new TwoPeers({ b: { plaintext: true } }).dial()
    peers.advance(60 * SECOND)
    expect([peers.a.eventsOf('open'), peers.a.eventsOf('datagram')]).toEqual([[], []])
    expect(peers.a.eventsOf('dialFailed')).toHaveLength(1)
  })
})

describe('an end that closes', () => {
  test('says so, and the other end has no connection any more', () => {
    const peers = new TwoPeers().connected()
    peers.a.do((machine, now) => machine.closeConnection(peers.a.connection, now))
    peers.advance(SECOND)
    expect(peers.a.eventsOf('closed')).toHaveLength(1)
    expect(peers.b.eventsOf('closed')).toMatchObject([{ connection: peers.b.connection }])
    peers.b.send(HELLO)
    peers.advance(SECOND)
    expect(peers.b.outcomes).toEqual(['ERR_CLOSED'])
  })

  test('is heard though two of its three goodbyes are lost', () => {
    const peers = new TwoPeers().connected()
    let lost = 0
    peers.holds = ({ from }) => sameEndpoint(from, peers.a.address) && lost++ < 2
    peers.a.do((machine, now) => machine.closeConnection(peers.a.connection, now))
    peers.advance(SECOND)
    expect(peers.b.eventsOf('closed')).toHaveLength(1)
  })

  test('takes nothing any more: what comes late is refused', () => {
    const peers = new TwoPeers().connected()
    peers.holds = ({ from }) => sameEndpoint(from, peers.b.address)
    peers.b.send(HELLO)
    peers.a.do((machine, now) => machine.closeConnection(peers.a.connection, now))
    for (const flight of peers.held.splice(0)) peers.deliver(flight)
    expect(peers.a.eventsOf('datagram')).toEqual([])
    expect(peers.a.counted('recordRefused')).toBeGreaterThan(0)
  })
})

describe('a path on which nothing comes back', () => {
  test('is left, and without another one the connection ends when the time for recovery is over', () => {
    const peers = new TwoPeers().connected()
    peers.holds = () => true
    const began = peers.now
    peers.a.send(HELLO)
    peers.advance(30 * SECOND)
    expect(peers.a.eventsOf('note').map(({ what }) => what)).toContain(
      'the direct path is dead: nothing comes back on it',
    )
    expect(peers.a.eventsOf('closed')).toEqual([])
    peers.advance(RECOVERY_TIME)
    expect(peers.a.eventsOf('closed')).toHaveLength(1)
    expect(peers.now - began).toBeGreaterThan(RECOVERY_TIME)
  })

  test('is kept when the other end is back in time, and what was sent meanwhile arrives', () => {
    const peers = new TwoPeers().connected()
    const stream = peers.a.do((machine, now) => machine.openStream(peers.a.connection, { priority: 0 }, now)) as number
    peers.holds = () => true
    peers.a.do((machine, now) => machine.writeStream(peers.a.connection, stream, HELLO, now))
    peers.advance(8 * SECOND)
    peers.holds = () => false
    peers.advance(10 * SECOND)
    const read = peers.b.do((machine, now) => machine.readStream(peers.b.connection, stream, now))
    expect(read?.type === 'data' && [...read.bytes]).toEqual([...HELLO])
    expect([peers.a.eventsOf('closed'), peers.b.eventsOf('closed')]).toEqual([[], []])
  })
})
