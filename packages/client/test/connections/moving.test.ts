/**
 * docs/protocol.md, Change of path: records that come from another address than the other end's.
 */
import { directSession, openssl, opensslEndToEnd } from '@showchain/crypto'
import { decode, type Endpoint, OP, RECORD_BYTE, sameEndpoint, sessionIdToBytes } from '@showchain/wire'
import { DATAGRAM_OVERHEAD, HANDSHAKE_KIND, RECORD_OVERHEAD, splitHandshake } from '@showchain/wire/end-to-end'
import { describe, expect, test } from 'vitest'
import { type Flight, type PeerEnd, TwoPeers } from './two-peers.ts'

const ELSEWHERE: Endpoint = { ip: '203.0.113.9', port: 9009 }
const THIRD: Endpoint = { ip: '203.0.113.10', port: 9010 }
/** A record with a PATH_CHALLENGE: its type and 8 bytes (RFC 9000 §19.17). */
const CHALLENGE_BYTES = RECORD_OVERHEAD + 1 + 8

/** The records in which `from` sends one datagram of the application, held back. */
function recordsOf(peers: TwoPeers, from: PeerEnd, bytes = new Uint8Array(100)): readonly Flight[] {
  peers.holds = (flight) => sameEndpoint(flight.from, from.address)
  from.send(bytes)
  return peers.held.splice(0)
}

/** An acknowledgement of `from` alone, held back. */
function acknowledgementOf(peers: TwoPeers, from: PeerEnd, to: PeerEnd): Flight {
  peers.holds = (flight) => sameEndpoint(flight.from, from.address)
  to.send(Uint8Array.of(1))
  peers.advance(100)
  const [acknowledgement] = peers.held.splice(0)
  if (acknowledgement === undefined) throw new Error('nothing was acknowledged')
  return acknowledgement
}

/** As many as may be under way before one is acknowledged. */
const RECORDS = 10

const first = <Item>([item]: readonly Item[]): Item => {
  if (item === undefined) throw new Error('there is none')
  return item
}

describe('a record from another address', () => {
  test('is answered there by a path challenge, which is no longer than it', () => {
    const peers = new TwoPeers().connected()
    const record = first(recordsOf(peers, peers.a))
    peers.deliver(record, ELSEWHERE)
    const sent = peers.sentTo(ELSEWHERE)
    expect(sent.map(({ bytes }) => bytes.length)).toEqual([CHALLENGE_BYTES])
    expect(record.bytes.length).toBeGreaterThanOrEqual(CHALLENGE_BYTES)
  })

  test('gets nothing when it is shorter than a path challenge', () => {
    const peers = new TwoPeers().connected()
    const acknowledgement = acknowledgementOf(peers, peers.a, peers.b)
    expect(acknowledgement.bytes.length).toBeLessThan(CHALLENGE_BYTES)
    peers.deliver(acknowledgement, ELSEWHERE)
    peers.advance(10_000)
    expect(peers.sentTo(ELSEWHERE)).toEqual([])
  })

  test('gets nothing when a newer one has come: it may have been held back', () => {
    const peers = new TwoPeers().connected()
    const older = first(recordsOf(peers, peers.a))
    const newer = first(recordsOf(peers, peers.a))
    peers.deliver(newer)
    peers.deliver(older, ELSEWHERE)
    peers.advance(10_000)
    expect(peers.sentTo(ELSEWHERE)).toEqual([])
    expect(peers.b.eventsOf('datagram')).toHaveLength(2)
  })

  test('gets nothing when it is a repetition, or not genuine', () => {
    const peers = new TwoPeers().connected()
    const record = first(recordsOf(peers, peers.a))
    const forged = { ...record, bytes: record.bytes.map((byte, index) => (index === 20 ? byte ^ 1 : byte)) }
    peers.deliver(forged, ELSEWHERE)
    peers.deliver(record)
    peers.deliver(record, ELSEWHERE)
    peers.advance(10_000)
    expect(peers.sentTo(ELSEWHERE)).toEqual([])
    expect(peers.b.counted('recordRefused')).toBe(2)
  })

  test('is answered and challenged at once, where it asks itself and has room for both', () => {
    const { peers, forge } = withAttacker()
    forge(challenges)
    peers.deliver(first(recordsOf(peers, peers.a)), ELSEWHERE)
    expect(peers.sentTo(ELSEWHERE).map(({ bytes }) => bytes.length)).toEqual([CHALLENGE_BYTES + 9])
  })

  test('is not answered where the other end must not learn this address, whatever it asks', () => {
    const { peers, forge } = withAttacker()
    const { id } = peers.a.signer
    peers.b.do((machine, now) => machine.dial({ id, policy: 'relay-only', addresses: [], relays: [] }, now))
    forge(challenges)
    const record = first(recordsOf(peers, peers.a))
    peers.sent.length = 0
    peers.deliver(record, ELSEWHERE)
    peers.deliver(first(recordsOf(peers, peers.a)))
    expect(peers.sent.filter(({ from }) => sameEndpoint(from, peers.b.address))).toEqual([])
    expect(peers.b.counted('recordRefused')).toBe(0)
  })

  test('is challenged at one address at a time', () => {
    const peers = new TwoPeers().connected()
    peers.deliver(first(recordsOf(peers, peers.a)), ELSEWHERE)
    peers.deliver(first(recordsOf(peers, peers.a)), THIRD)
    peers.deliver(first(recordsOf(peers, peers.a)), ELSEWHERE)
    expect([peers.sentTo(ELSEWHERE).length, peers.sentTo(THIRD).length]).toEqual([1, 0])
  })

  test('changes nothing until the challenge is answered: data goes on to the address that is known', () => {
    const peers = new TwoPeers().connected()
    peers.deliver(first(recordsOf(peers, peers.a)), ELSEWHERE)
    peers.sent.length = 0
    peers.b.send(new Uint8Array(50))
    expect(peers.sent.map(({ to }) => to)).toEqual([peers.a.address])
  })

  test('moves the path once the challenge is answered', () => {
    const peers = new TwoPeers().connected()
    peers.deliver(first(recordsOf(peers, peers.a)), ELSEWHERE)
    const challenge = first(peers.sentTo(ELSEWHERE))
    peers.deliver({ ...challenge, to: peers.a.address })
    peers.deliver(first(peers.held.splice(0)), ELSEWHERE)
    peers.sent.length = 0
    peers.b.send(new Uint8Array(50))
    expect(peers.sent.at(-1)?.to).toEqual(ELSEWHERE)
    expect(peers.b.eventsOf('path').at(-1)?.path).toEqual({ kind: 'direct', remote: ELSEWHERE })
  })

  test('is not validated by the answer to an earlier challenge', () => {
    const peers = new TwoPeers().connected()
    peers.deliver(first(recordsOf(peers, peers.a)), ELSEWHERE)
    peers.deliver({ ...first(peers.sentTo(ELSEWHERE)), to: peers.a.address })
    const late = first(peers.held.splice(0))
    // By then the first challenge is over, and another address can be asked.
    peers.holds = () => false
    peers.advance(4000)
    peers.deliver(first(recordsOf(peers, peers.a)), THIRD)
    expect(peers.sentTo(THIRD)).toHaveLength(1)
    peers.deliver(late)
    peers.sent.length = 0
    peers.b.send(new Uint8Array(50))
    expect(peers.sent.map(({ to }) => to)).toEqual([peers.a.address])
  })
})

/** Type PATH_CHALLENGE and eight bytes (RFC 9000 §19.17), as often as there is room. */
const challenges = (into: Uint8Array): void => {
  for (let at = 0; at + 9 <= into.length; at += 9) into.fill(0x1a, at, at + 1).fill(at / 9, at + 1, at + 9)
}

/** Two peers, of which `a` has the keys and writes into its records what it likes. */
function withAttacker(): { peers: TwoPeers; forge(write: (payload: Uint8Array) => void): void } {
  let write: (payload: Uint8Array) => void = () => {}
  const crypto = {
    ...opensslEndToEnd,
    aead: (key: Uint8Array) => {
      const aead = opensslEndToEnd.aead(key)
      return {
        open: aead.open.bind(aead),
        openInPlace: aead.openInPlace.bind(aead),
        seal: (nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, into: Uint8Array, at: number): void => {
          const forged = plaintext.slice()
          write(forged)
          aead.seal(nonce, aad, forged, into, at)
        },
      }
    },
  }
  const peers = new TwoPeers({ a: { endToEnd: crypto } }).connected()
  return {
    peers,
    forge: (how) => {
      write = how
    },
  }
}

describe('a peer with the keys that names the address of a victim as its own', () => {
  test.each([41, 42, 50, 51, 100, 1000])(
    'makes the other end send one datagram there for a record of many challenges, and no byte more: %d bytes',
    (length) => {
      const { peers, forge } = withAttacker()
      forge((payload) => {
        payload.fill(0)
        challenges(payload)
      })
      let received = 0
      // The length of a short datagram takes a byte less.
      const overhead = DATAGRAM_OVERHEAD - (length < 100 ? 1 : 0)
      for (let records = 1; records <= RECORDS; records++) {
        const record = first(recordsOf(peers, peers.a, new Uint8Array(length - overhead)))
        expect(record.bytes.length).toBe(length)
        received += record.bytes.length
        peers.deliver(record, ELSEWHERE)
        const sent = peers.sentTo(ELSEWHERE)
        expect(sent.length).toBeLessThanOrEqual(records)
        expect(sent.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(received)
      }
      expect(peers.sentTo(ELSEWHERE).length).toBe(length < CHALLENGE_BYTES ? 0 : RECORDS)
    },
  )

  test('gets few challenges sent there: each waits twice as long as the one before', () => {
    const { peers } = withAttacker()
    const times: number[] = []
    // Everything else passes, so that the path stays what it is.
    const isRecord = ({ bytes }: Flight): boolean =>
      bytes[0] === RECORD_BYTE && bytes.length === DATAGRAM_OVERHEAD + 100
    for (let seconds = 0; seconds < 600; seconds++) {
      peers.sent.length = 0
      peers.holds = (flight) => isRecord(flight) && sameEndpoint(flight.from, peers.a.address)
      peers.a.send(new Uint8Array(100))
      const record = peers.held.splice(0).at(-1)
      if (record !== undefined) peers.deliver(record, seconds % 2 === 0 ? ELSEWHERE : THIRD)
      if (peers.sentTo(ELSEWHERE).length + peers.sentTo(THIRD).length > 0) times.push(seconds)
      peers.advance(1000)
    }
    const gaps = times.slice(1).map((at, index) => at - (times[index] ?? 0))
    expect(gaps).toEqual([3, 6, 12, 24, 48, 96, 96, 96, 96, 96])
  })

  test('is challenged as early as at first, once it has moved to an address of its own', () => {
    const peers = new TwoPeers().connected()
    for (const place of [ELSEWHERE, THIRD]) {
      peers.sent.length = 0
      peers.deliver(first(recordsOf(peers, peers.a)), place)
      peers.deliver({ ...first(peers.sentTo(place)), to: peers.a.address })
      peers.deliver(first(peers.held.splice(0)), place)
      expect(peers.b.eventsOf('path').at(-1)?.path).toEqual({ kind: 'direct', remote: place })
      peers.advance(200)
      peers.held.length = 0
    }
  })
})

describe('a handshake', () => {
  test('is taken only from where its session is: elsewhere a first message makes nobody compute', () => {
    const peers = new TwoPeers()
    peers.dial().advance(1000)
    const [request] = peers.sent
      .flatMap(({ bytes }) => {
        const decoded = decode(bytes)
        return decoded.ok && decoded.message.op_code === OP.directRequest ? [decoded.message] : []
      })
      .slice(-1)
    if (request === undefined) throw new Error('no request')
    const { id: requester, target: responder, seq, ts } = request
    const session = sessionIdToBytes(directSession(openssl, { requester, responder, seq, ts }))
    const ephemeral = opensslEndToEnd.x25519Public(new Uint8Array(32).fill(7))
    const parts = { session, kind: HANDSHAKE_KIND.first, group: 1 }
    const [bytes] = splitHandshake(ephemeral, 1000, parts) as [Uint8Array]
    const message = { at: peers.now, from: peers.a.address, to: peers.b.address, bytes }
    peers.sent.length = 0
    peers.deliver(message, ELSEWHERE)
    expect(peers.b.counted('handshakeRefused')).toBe(1)
    peers.advance(100)
    expect(peers.sent).toEqual([])
    peers.deliver(message)
    peers.advance(100)
    expect(peers.b.counted('handshakeRefused')).toBe(1)
    expect(peers.sentTo(peers.a.address).length).toBeGreaterThan(0)
  })
})
