/** docs/protocol.md: direct connect to this peer, proxied data, data on a direct path. */
import { createHash } from 'node:crypto'
import { directSession, openssl } from '@showchain/crypto'
import { type MessageOf, OP, peerIdToBytes, sessionIdFromBytes, toBase64url, WIRE_ERROR } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { maxMessage, RECOVERY_TIME } from '../../src/core/index.ts'
import { Bed, OTHER, other, RELAY, relay, self, sentTo } from '../peer-bed.ts'

const SESSION = sessionIdFromBytes(new Uint8Array(16).fill(9))
const data = (
  seq: number,
  more: Partial<MessageOf<typeof OP.proxyPassData>> = {},
): MessageOf<typeof OP.proxyPassData> => ({
  op_code: OP.proxyPassData,
  target: self.id,
  id: other.id,
  data: Uint8Array.of(1, 2, 3),
  session: SESSION,
  seq,
  ts: 1,
  ...more,
})

/** A connection through the relay that this peer opened. */
function relayed(): Bed {
  const bed = new Bed().registered()
  bed.do((machine, now) =>
    machine.dial(
      { id: other.id, policy: 'relay-only', addresses: [], relays: [{ id: relay.id, endpoint: RELAY }] },
      now,
    ),
  )
  const { seq, ts } = bed.last(OP.proxyRequest)
  bed.receive(relay.signed({ op_code: OP.proxyResponse, session: SESSION, target: other.id, seq, ts }), RELAY)
  const hello = bed.last(OP.proxyData)
  expect(hello.data).toHaveLength(0)
  bed.receive({ op_code: OP.proxyDataAck, session: SESSION, seq: hello.seq, ts: hello.ts }, RELAY)
  bed.taken()
  return bed
}

describe('0x101 from others', () => {
  const request = (bed: Bed, ext?: MessageOf<typeof OP.directRequest>['ext']): MessageOf<typeof OP.directRequest> =>
    other.signed({
      op_code: OP.directRequest,
      id: other.id,
      target: self.id,
      seq: 3,
      ts: bed.unixMs,
      ...(ext === undefined ? {} : { ext }),
    })

  test('is challenged first, in fewer bytes than it had, and answered with key, caps and observed address', () => {
    const bed = new Bed()
    const key = other.publicKey.spki
    bed.receive(request(bed, { key }), OTHER)
    const [challenge] = bed.taken()
    expect(challenge?.message.op_code).toBe(OP.challenge)
    const { cookie } = (challenge as NonNullable<typeof challenge>).message as MessageOf<typeof OP.challenge>
    bed.receive(
      other.signed({
        op_code: OP.directRequest,
        id: other.id,
        target: self.id,
        seq: 4,
        ts: bed.unixMs,
        ext: { key, cookie },
      }),
      OTHER,
    )
    expect(bed.last(OP.directResponse)).toMatchObject({
      id: self.id,
      seq: 4,
      ext: { key: self.publicKey.spki, caps: 4, observed: OTHER },
    })
    expect(bed.eventsOf('open')).toMatchObject([{ incoming: true, path: { kind: 'direct', remote: OTHER } }])
  })

  test('without extension fields needs a key from configuration, and gets none back', () => {
    const stranger = new Bed()
    stranger.receive(request(stranger), OTHER)
    expect(stranger.taken()).toEqual([])
    const friend = new Bed({ knownKeys: [other.publicKey] })
    friend.receive(request(friend), OTHER)
    expect(friend.last(OP.directResponse).ext).toBeUndefined()
  })

  test('gets silence when the application says no, or does not say anything', () => {
    for (const consent of [false, undefined]) {
      const bed = new Bed({ knownKeys: [other.publicKey] })
      bed.consent = consent
      bed.receive(request(bed), OTHER)
      bed.advance(20_000)
      expect(bed.taken()).toEqual([])
    }
  })

  test('that comes again as the same bytes gets the same answer; for another target it gets none', () => {
    const bed = new Bed({ knownKeys: [other.publicKey] })
    const message = request(bed)
    bed.receive(message, OTHER)
    bed.receive(message, OTHER)
    const [first, second] = bed.taken(OP.directResponse)
    expect(second?.bytes).toEqual(first?.bytes)
    bed.receive(
      other.signed({ op_code: OP.directRequest, id: other.id, target: relay.id, seq: 9, ts: bed.unixMs }),
      OTHER,
    )
    expect(bed.taken()).toEqual([])
  })
})

describe('proxied data that comes in', () => {
  test('opens a connection by consent, is delivered once and acknowledged each time', () => {
    const bed = new Bed().registered()
    for (let times = 0; times < 3; times++) bed.receive(data(10), RELAY)
    expect(bed.eventsOf('open')).toMatchObject([{ incoming: true, path: { kind: 'relay' } }])
    expect(bed.eventsOf('datagram')).toHaveLength(1)
    expect(bed.taken(OP.proxyDataAck)).toHaveLength(3)
  })

  test('that comes again is answered with an empty message as well, once: what acknowledges may have been lost', () => {
    const bed = new Bed().registered()
    bed.receive(data(10), RELAY)
    expect(bed.taken(OP.proxyData)).toEqual([])
    for (let times = 0; times < 3; times++) bed.receive(data(10), RELAY)
    const [empty, ...more] = bed.taken(OP.proxyData)
    expect([empty?.message, more]).toMatchObject([{ session: SESSION, target: other.id, data: new Uint8Array(0) }, []])
    bed.advance(600)
    expect(bed.taken(OP.proxyData).map(({ bytes }) => bytes)).toEqual([empty?.bytes])
  })

  test('is not acknowledged before the application says yes', () => {
    const bed = new Bed().registered()
    bed.consent = undefined
    bed.receive(data(10), RELAY)
    expect(bed.taken()).toEqual([])
    const [question] = bed.eventsOf('consent')
    bed.do((_machine, now) => question?.decide(true, now))
    expect(bed.taken(OP.proxyDataAck)).toHaveLength(1)
  })

  test('from anywhere but a relay of ours, for somebody else, or without opt-in is dropped', () => {
    const bed = new Bed().registered()
    bed.receive(data(10), OTHER)
    bed.receive(data(10, { target: relay.id }), RELAY)
    const careful = new Bed({ plaintext: false }).registered()
    careful.receive(data(10), RELAY)
    expect([...bed.taken(), ...careful.taken(), ...bed.events.filter(({ type }) => type === 'consent')]).toEqual([])
    expect(careful.eventsOf('consent')).toEqual([])
    expect(careful.counted('plaintextRefused')).toBe(1)
    careful.receive(data(11, { data: new Uint8Array(0) }), RELAY)
    expect(careful.taken(OP.proxyDataAck)).toHaveLength(1)
    careful.receive(data(12), RELAY)
    expect([careful.taken(), careful.eventsOf('datagram')]).toEqual([[], []])
  })

  test('is not acknowledged while its reader is 1,024 messages behind, and again when one was read', () => {
    const bed = new Bed().registered()
    for (let seq = 0; seq < 1030; seq++) bed.receive(data(seq), RELAY)
    expect(bed.taken(OP.proxyDataAck)).toHaveLength(1024)
    const [open] = bed.eventsOf('open')
    bed.do((machine) => machine.readDatagram(open?.connection ?? 0))
    bed.receive(data(1029), RELAY)
    expect(bed.taken(OP.proxyDataAck)).toHaveLength(1)
  })

  test('of a session that this side closed opens nothing', () => {
    const bed = new Bed().registered()
    bed.receive(data(1), RELAY)
    bed.do((machine, now) => machine.closeConnection(bed.eventsOf('open')[0]?.connection ?? 0, now))
    bed.taken()
    bed.receive(data(2), RELAY)
    expect([bed.taken(), bed.eventsOf('open').length]).toEqual([[], 1])
  })
})

test('a dial fails when the relay loses the session before the other end acknowledged anything', () => {
  const bed = new Bed().registered()
  bed.do((machine, now) =>
    machine.dial(
      { id: other.id, policy: 'relay-only', addresses: [], relays: [{ id: relay.id, endpoint: RELAY }] },
      now,
    ),
  )
  const request = bed.last(OP.proxyRequest)
  bed.receive(
    relay.signed({ op_code: OP.proxyResponse, session: SESSION, target: other.id, seq: request.seq, ts: request.ts }),
    RELAY,
  )
  const { seq, ts } = bed.last(OP.proxyData)
  bed.receive({ op_code: OP.error, code: WIRE_ERROR.noSession, ref_op: OP.proxyData, seq, ts }, RELAY)
  expect(bed.eventsOf('dialFailed')).toMatchObject([{ attempts: [{ via: 'relay', state: 'failed' }] }])
})

describe('data that goes out', () => {
  const send = (bed: Bed, results: unknown[]): void => {
    const [open] = bed.eventsOf('open')
    bed.do((machine, now) =>
      machine.sendDatagram(
        open?.connection ?? 0,
        Uint8Array.of(7),
        (failure) => results.push(failure?.code ?? 'delivered'),
        now,
      ),
    )
  }

  test('is signed, sent again until 0x125 came, and then no more', () => {
    const bed = relayed()
    const results: unknown[] = []
    send(bed, results)
    bed.advance(2000)
    const sends = bed.taken(OP.proxyData)
    expect(sends.length).toBe(3)
    const { seq, ts } = (sends[0] as (typeof sends)[number]).message as MessageOf<typeof OP.proxyData>
    bed.receive({ op_code: OP.proxyDataAck, session: SESSION, seq, ts: ts + 1 }, RELAY)
    bed.receive({ op_code: OP.proxyDataAck, session: SESSION, seq, ts }, OTHER)
    expect(results).toEqual([])
    bed.receive({ op_code: OP.proxyDataAck, session: SESSION, seq, ts }, RELAY)
    bed.advance(10_000)
    expect([results, bed.taken(OP.proxyData)]).toEqual([['delivered'], []])
  })

  test('fails when nobody acknowledges it; another session is tried until the recovery time is over, then the connection ends', () => {
    const bed = relayed()
    const results: unknown[] = []
    send(bed, results)
    for (let seconds = 0; seconds < 15; seconds += 1) {
      bed.receive({ op_code: OP.keepAlive, id: relay.id, seq: 0, ts: 0 }, RELAY)
      bed.advance(1000)
    }
    expect(results).toEqual(['ERR_TIMEOUT'])
    expect(bed.eventsOf('closed')).toEqual([])
    expect(bed.last(OP.proxyRequest).target).toBe(other.id)
    for (let seconds = 0; seconds < RECOVERY_TIME / 1000 + 15; seconds += 1) {
      bed.receive({ op_code: OP.keepAlive, id: relay.id, seq: 0, ts: 0 }, RELAY)
      bed.advance(1000)
    }
    expect(bed.eventsOf('closed')).toHaveLength(1)
  })

  test('goes through a new session when the relay lost the old one', () => {
    const bed = relayed()
    const results: unknown[] = []
    send(bed, results)
    const { seq, ts } = bed.last(OP.proxyData)
    bed.receive({ op_code: OP.error, code: WIRE_ERROR.noSession, ref_op: OP.proxyData, seq, ts }, RELAY)
    const request = bed.last(OP.proxyRequest)
    const fresh = sessionIdFromBytes(new Uint8Array(16).fill(10))
    bed.receive(
      relay.signed({ op_code: OP.proxyResponse, session: fresh, target: other.id, seq: request.seq, ts: request.ts }),
      RELAY,
    )
    for (let messages = 0; messages < 2; messages++) {
      const sent = bed.last(OP.proxyData)
      expect(sent.session).toBe(fresh)
      bed.receive({ op_code: OP.proxyDataAck, session: fresh, seq: sent.seq, ts: sent.ts }, RELAY)
    }
    expect(results).toEqual(['delivered'])
  })

  test('that was sent before the one that met a relay without the session fails too, and the connection goes on', () => {
    const bed = relayed()
    const results: unknown[] = []
    send(bed, results)
    bed.advance(200)
    send(bed, results)
    const { seq, ts } = bed.last(OP.proxyData)
    bed.receive({ op_code: OP.error, code: WIRE_ERROR.noSession, ref_op: OP.proxyData, seq, ts }, RELAY)
    expect(results).toEqual(['ERR_TIMEOUT'])
    expect(bed.eventsOf('closed')).toEqual([])
    expect(bed.last(OP.proxyRequest).target).toBe(other.id)
  })

  test('that was sent before and then met a relay without its session fails: it may have arrived', () => {
    const bed = relayed()
    const results: unknown[] = []
    send(bed, results)
    bed.advance(700)
    const { seq, ts } = bed.last(OP.proxyData)
    bed.receive({ op_code: OP.error, code: WIRE_ERROR.noSession, ref_op: OP.proxyData, seq, ts }, RELAY)
    expect(results).toEqual(['ERR_TIMEOUT'])
  })

  test('waits for no path that never comes: the connection ends when the relay loses each session that is tried', () => {
    const bed = relayed()
    const results: unknown[] = []
    send(bed, results)
    // At once, before anything is sent again.
    const step = 50
    for (let time = 0; time < RECOVERY_TIME + 5000; time += step) {
      if (time % 5000 === 0) bed.receive({ op_code: OP.keepAlive, id: relay.id, seq: 0, ts: 0 }, RELAY)
      for (const { message } of bed.taken()) {
        if (message.op_code === OP.proxyRequest)
          bed.receive(
            relay.signed({
              op_code: OP.proxyResponse,
              session: sessionIdFromBytes(new Uint8Array(16).fill(10 + (time % 200))),
              target: other.id,
              seq: message.seq,
              ts: message.ts,
            }),
            RELAY,
          )
        if (message.op_code === OP.proxyData)
          bed.receive(
            { op_code: OP.error, code: WIRE_ERROR.noSession, ref_op: OP.proxyData, seq: message.seq, ts: message.ts },
            RELAY,
          )
      }
      bed.advance(step)
    }
    expect(bed.eventsOf('closed')).toHaveLength(1)
    expect(results).toEqual(['ERR_CLOSED'])
  })

  test('waits for the first acknowledgement: a relay lets only a few messages through before consent', () => {
    const bed = new Bed().registered()
    bed.receive(data(1), RELAY)
    const results: unknown[] = []
    for (let times = 0; times < 5; times++) send(bed, results)
    expect(bed.taken(OP.proxyData)).toHaveLength(5)
  })
})

describe('data on a direct path', () => {
  test('has the session that both ends derive from the 0x101 that was answered', () => {
    const [seq, ts] = [0x0102030405, 1_800_000_000_123]
    const numbers = Buffer.alloc(16)
    numbers.writeBigUInt64BE(BigInt(seq), 0)
    numbers.writeBigUInt64BE(BigInt(ts), 8)
    const input = Buffer.concat([
      Buffer.from('SHOWCHAIN-P2P-v1 direct\0'),
      peerIdToBytes(other.id),
      peerIdToBytes(self.id),
      numbers,
    ])
    const expected = createHash('sha256').update(input).digest().subarray(0, 16)
    expect(directSession(openssl, { requester: other.id, responder: self.id, seq, ts })).toBe(toBase64url(expected))
  })

  test('is taken under a good signature from the address of the path only, and acknowledged there', () => {
    const bed = new Bed({ knownKeys: [other.publicKey] })
    const stamp = { seq: 3, ts: bed.unixMs }
    bed.receive(other.signed({ op_code: OP.directRequest, id: other.id, target: self.id, ...stamp }), OTHER)
    bed.taken()
    const session = directSession(openssl, { requester: other.id, responder: self.id, ...stamp })
    const message = other.signed({
      op_code: OP.proxyData,
      target: self.id,
      id: other.id,
      data: Uint8Array.of(4),
      session,
      seq: 1,
      ts: 1,
    })
    bed.receive({ ...message, sign: new Uint8Array(256) }, OTHER)
    bed.receive(message, { ...OTHER, port: 1 })
    // Unsigned, as a relay passes data on.
    const { sign: _sign, ...unsigned } = message
    bed.receive({ ...unsigned, op_code: OP.proxyPassData }, OTHER)
    expect([bed.taken(), bed.eventsOf('datagram')]).toEqual([[], []])
    bed.receive(message, OTHER)
    bed.receive(message, OTHER)
    expect(bed.eventsOf('datagram')).toHaveLength(1)
    expect(bed.sent.filter(sentTo(OTHER)).map(({ message: { op_code } }) => op_code)).toEqual([
      OP.proxyDataAck,
      OP.proxyDataAck,
    ])
  })
})

test.each([
  [256, 'binary', 741],
  [512, 'binary', 585],
  [256, 'json', 477],
] as const)('one message has as many bytes as fit with a signature of %d in %s', (signature, encoding, bytes) => {
  expect(maxMessage(signature, encoding)).toBe(bytes)
})

test('a closed machine wants nothing any more', () => {
  const bed = relayed()
  bed.do((machine, now) => machine.close(now))
  bed.advance(60_000)
  bed.taken()
  bed.advance(600_000)
  expect(bed.taken()).toEqual([])
  expect(bed.eventsOf('closed')).toHaveLength(1)
})
