/** docs/protocol.md, Addresses: first contacts that a peer answers without a challenge. */
import { nodeEndToEnd, openssl, opensslEndToEnd } from '@showchain/crypto'
import { type Endpoint, type Extensions, encode, type Message, OP } from '@showchain/wire'
import { FRAME, FrameWriter, RECORD_OVERHEAD } from '@showchain/wire/end-to-end'
import { describe, expect, test } from 'vitest'
import { instant } from '../../src/core/index.ts'
import { Ephemerals } from '../../src/core/secure/ephemerals.ts'
import { type Greeting, OutgoingHello } from '../../src/core/secure/hello.ts'
import { RecordLayer } from '../../src/core/secure/record-layer.ts'
import { Bed, OTHER, other, type Sent, Signer, self, sentTo } from '../peer-bed.ts'
import { random } from '../secure/pair.ts'

const crypto = { ...opensslEndToEnd, sha256: openssl.sha256, hmacSha256: openssl.hmacSha256 }
const HELLO = { mayRelay: true, dialled: true, namedStreams: true }
const bedOf = (options = {}): Bed => new Bed({ plaintext: false, endToEnd: nodeEndToEnd(), ...options })

/** A stranger at an address, with what it would send. */
class Stranger {
  readonly hello: OutgoingHello
  readonly #bed: Bed
  readonly #who: Signer
  #seq = 0

  constructor(bed: Bed, who = other) {
    this.#bed = bed
    this.#who = who
    const connectionId = random.bytes(8)
    const ends = { crypto, ephemerals: new Ephemerals(crypto, random), requester: who.id, target: self.id }
    this.hello = new OutgoingHello(ends, { ...HELLO, connectionId })
  }

  /** Its first contact, of 1200 bytes unless something else is wanted. */
  request(change: Extensions = {}, ts = this.#bed.unixMs): Message {
    const ext = { key: this.#who.publicKey.spki, hello: this.hello.value, pad: 0, ...change }
    const fields = { op_code: OP.directRequest, id: this.#who.id, target: self.id, seq: ++this.#seq, ts } as const
    const bare = this.#who.signed({ ...fields, ext })
    if ('pad' in change) return bare
    return this.#who.signed({ ...fields, ext: { ...ext, pad: 1200 - encode(bare, 'binary').length } })
  }

  /** What comes back at once. */
  ask(message: Message = this.request(), from: Endpoint = OTHER): readonly Sent[] {
    this.#bed.taken()
    this.#bed.receive(message, from)
    return this.#bed.taken().filter(sentTo(from))
  }
}

const opsOf = (sent: readonly Sent[]): readonly number[] => sent.map(({ message }) => message.op_code)

describe('a first contact with a hello', () => {
  test('is answered without a challenge, by no more bytes than came', () => {
    const bed = bedOf()
    const [answer, ...more] = new Stranger(bed).ask()
    expect(answer?.message).toMatchObject({ op_code: OP.directResponse, ext: { hello: expect.anything() } })
    expect(answer?.bytes.length).toBeLessThanOrEqual(1200)
    expect(more).toEqual([])
  })

  test('that is shorter than its answer would be is challenged', () => {
    const bed = bedOf()
    const stranger = new Stranger(bed)
    const message = stranger.request({ pad: undefined })
    expect(encode(message, 'binary')).toHaveLength(683)
    expect(opsOf(stranger.ask(message))).toEqual([OP.challenge])
    // Before anything is computed.
    const forged = { ...stranger.request({ pad: undefined }), sign: new Uint8Array(256) } as Message
    expect(opsOf(stranger.ask(forged))).toEqual([OP.challenge])
    expect(bed.counted('badSignature')).toBe(0)
    // Its answer has 684.
    expect(opsOf(stranger.ask(stranger.request({ pad: 0 })))).toEqual([OP.directResponse])
  })

  test('of a peer that the application does not let in gets nothing, not even a challenge', () => {
    const bed = bedOf()
    bed.consent = false
    expect(new Stranger(bed).ask()).toEqual([])
  })

  test.each([61_000, -61_000])('whose clock is %i ms off is challenged', (off) => {
    const bed = bedOf()
    bed.advance(100_000)
    const stranger = new Stranger(bed)
    expect(opsOf(stranger.ask(stranger.request({}, bed.unixMs + off)))).toEqual([OP.challenge])
  })

  test('gets the same answer when it comes again, each for bytes of its own', () => {
    const bed = bedOf()
    const stranger = new Stranger(bed)
    const message = stranger.request()
    const first = stranger.ask(message)
    const again = stranger.ask(message)
    expect(again.map(({ bytes }) => bytes)).toEqual(first.map(({ bytes }) => bytes))
    expect(again).toHaveLength(1)
  })

  test('with a cookie that is none is challenged', () => {
    const bed = bedOf()
    const stranger = new Stranger(bed)
    expect(opsOf(stranger.ask(stranger.request({ cookie: new Uint8Array(30) })))).toEqual([OP.challenge])
  })

  test('of a larger key is answered too: it has the length of the longest answer', () => {
    const bed = bedOf()
    const stranger = new Stranger(bed, new Signer(3072))
    expect(opsOf(stranger.ask())).toEqual([OP.directResponse])
  })
})

describe('a first contact that is not answered without a challenge', () => {
  test('has no hello: without keys its sender could not prove its address', () => {
    const bed = bedOf()
    const stranger = new Stranger(bed)
    const fields = { op_code: OP.directRequest, id: other.id, target: self.id, seq: 1, ts: bed.unixMs } as const
    const message = other.signed({ ...fields, ext: { key: other.publicKey.spki, pad: 500 } })
    expect(opsOf(stranger.ask(message))).toEqual([OP.challenge])
  })

  test('has what is no hello', () => {
    const bed = bedOf()
    const stranger = new Stranger(bed)
    const message = stranger.request({ hello: new Uint8Array(42), pad: 500 })
    expect(opsOf(stranger.ask(message))).toEqual([OP.challenge])
    // The challenge comes again when the request does, as if it had been lost.
    expect(opsOf(stranger.ask(message))).toEqual([OP.challenge])
  })

  test('comes to a peer that speaks only the seed', () => {
    const bed = bedOf({ seedMode: true })
    expect(opsOf(new Stranger(bed).ask())).not.toContain(OP.directResponse)
  })
})

describe('a flood of strangers', () => {
  /** Answers without a challenge among so many first contacts, each from an address of its own. */
  const flood = (stranger: Stranger, count: number): number => {
    let answered = 0
    for (let n = 0; n < count; n++) {
      const from = { ip: `198.51.${100 + (n >> 7)}.${n & 127}`, port: 1024 + n }
      const [op] = opsOf(stranger.ask(stranger.request(), from))
      expect([OP.directResponse, OP.challenge]).toContain(op)
      if (op === OP.directResponse) answered++
    }
    return answered
  }

  test('has 32 answered at once and 8 a second; the others are challenged', () => {
    const bed = bedOf()
    const stranger = new Stranger(bed)
    expect(flood(stranger, 60)).toBe(32)
    bed.advance(1000)
    expect(flood(stranger, 20)).toBe(8)
    bed.advance(10_000)
    expect(flood(stranger, 60)).toBe(32)
  })

  test('of forged ones makes the peer verify no more than these, and sign nothing', () => {
    const bed = bedOf()
    const stranger = new Stranger(bed)
    for (let n = 0; n < 60; n++) {
      const from = { ip: `198.51.100.${n}`, port: 1024 }
      const message = stranger.request()
      stranger.ask({ ...message, sign: new Uint8Array(256).fill(n) } as Message, from)
    }
    expect(bed.counted('badSignature')).toBe(32)
  })

  test('does not keep out who shows a token that this peer gave it, from its ip', () => {
    const bed = bedOf()
    const known = new Stranger(bed, new Signer())
    const [answer] = known.ask()
    const token = answer?.message.ext?.token as Uint8Array
    expect(token).toHaveLength(19)
    flood(new Stranger(bed), 40)
    const from = { ...OTHER, port: 77 }
    expect(opsOf(known.ask(known.request({ token }), from))).toEqual([OP.directResponse])
    expect(opsOf(known.ask(known.request({ token }), { ...from, ip: '198.51.100.8' }))).toEqual([OP.challenge])
    const flipped = token.slice()
    flipped[18] = (flipped[18] as number) ^ 1
    expect(opsOf(known.ask(known.request({ token: flipped }), from))).toEqual([OP.challenge])
  })

  test('does not keep out who proves its address', () => {
    const bed = bedOf()
    flood(new Stranger(bed), 40)
    const late = new Stranger(bed, new Signer())
    const [challenge] = late.ask()
    if (challenge?.message.op_code !== OP.challenge) throw new Error('no challenge')
    expect(opsOf(late.ask(late.request({ cookie: challenge.message.cookie })))).toContain(OP.directResponse)
  })
})

describe('the address of a stranger that was answered', () => {
  /** A stranger that has the keys, and says something under them from its address. */
  class Guest extends Stranger {
    readonly bed: Bed
    readonly sign: Uint8Array
    readonly #records: RecordLayer
    /** Bytes of the answer. */
    readonly got: number
    /** Bytes that came from its address. */
    came = 1200

    constructor(bed: Bed) {
      super(bed)
      this.bed = bed
      const [answer] = this.ask()
      if (answer?.message.op_code !== OP.directResponse) throw new Error('no answer')
      this.sign = answer.message.sign
      this.got = answer.bytes.length
      const greeting = this.hello.read(answer.message.ext?.hello ?? new Uint8Array(0)) as Greeting
      this.#records = new RecordLayer(crypto, greeting.secured, instant(0))
    }

    say(write: (frames: FrameWriter) => void, from: Endpoint = OTHER): void {
      const payload = new Uint8Array(100)
      const frames = new FrameWriter()
      frames.reset(payload, payload.length)
      write(frames)
      const record = new Uint8Array(RECORD_OVERHEAD + payload.length)
      this.#records.seal(payload, record, 0, -1, this.bed.now)
      this.came += record.length
      this.bed.do((machine, now) => machine.receive({ bytes: record, source: from }, now))
    }

    /** PATH_RESPONSE with what only the receiver of the 0x102 knows. */
    prove(bytes: Uint8Array = this.sign, from?: Endpoint): void {
      this.say((frames) => frames.token(FRAME.pathResponse, bytes.slice(0, 8)), from)
    }
  }

  /** The peer has 100 kB for it. */
  function busy(): Guest {
    const guest = new Guest(bedOf())
    guest.say((frames) => frames.numbers(FRAME.ping))
    const { bed } = guest
    const [open] = bed.eventsOf('open')
    const connection = open?.connection as number
    const stream = bed.do((machine, now) => machine.openStream(connection, { priority: 0 }, now)) as number
    bed.do((machine, now) => machine.writeStream(connection, stream, new Uint8Array(100_000), now))
    return guest
  }

  const bytesTo = ({ bed }: Guest): number => bed.records.reduce((sum, { bytes }) => sum + bytes.length, 0)

  test('gets no more bytes and no more records than came from there, until it has proved itself', () => {
    const guest = busy()
    const { bed } = guest
    guest.bed.advance(5000)
    guest.say((frames) => frames.numbers(FRAME.ping))
    bed.advance(20_000)
    bed.advance(60_000)
    expect(bed.taken()).toEqual([])
    // A path challenge for each record.
    expect(bed.records.map(({ bytes }) => bytes.length)).toEqual([42, 42])
    expect(guest.got + bytesTo(guest)).toBeLessThanOrEqual(guest.came)
  })

  test('is not validated by that: what else it asks for is asked by a stranger', () => {
    const guest = new Guest(bedOf())
    const check = (): readonly number[] => opsOf(guest.ask(guest.request({ hello: undefined, pad: undefined })))
    expect(check()).toEqual([OP.challenge])
    guest.prove()
    expect(check()).toEqual([OP.directResponse])
  })

  test('takes no path away that works, before it has proved itself', () => {
    const guest = busy()
    const { bed } = guest
    guest.prove()
    const V = { ...OTHER, port: 9 }
    const [answer] = guest.ask(guest.request(), V)
    if (answer?.message.op_code !== OP.directResponse) throw new Error('no answer')
    /** Bytes of records that follow. */
    const follows = (say: () => void): { readonly there: number; readonly here: number } => {
      bed.records.splice(0)
      say()
      bed.advance(100)
      const bytesAt = (at: Endpoint): number =>
        bed.records.filter(({ to }) => to.port === at.port).reduce((sum, { bytes }) => sum + bytes.length, 0)
      return { there: bytesAt(V), here: bytesAt(OTHER) }
    }
    const ping = (): void => guest.say((frames) => frames.numbers(FRAME.ping), V)
    expect(follows(ping)).toEqual({ there: 42, here: expect.toSatisfy((bytes: number) => bytes > 0) })
    const { sign } = answer.message
    expect(follows(() => guest.prove(sign, V)).there).toBeGreaterThan(1000)
  })

  test('gets all when it says what only the receiver of the 0x102 knows', () => {
    const guest = busy()
    const before = bytesTo(guest)
    guest.prove()
    guest.bed.advance(10)
    expect(bytesTo(guest)).toBeGreaterThan(before + 5000)
  })

  test.each([
    ['another 8 bytes', (guest: Guest) => guest.prove(new Uint8Array(8))],
    ['8 bytes of its own signature', (guest: Guest) => guest.prove((guest.request() as { sign: Uint8Array }).sign)],
    ['the right ones from elsewhere', (guest: Guest) => guest.prove(guest.sign, { ...OTHER, port: 1 })],
  ])('gets no more when it says %s', (_what, prove) => {
    const guest = busy()
    prove(guest)
    guest.bed.advance(5000)
    expect(guest.bed.records.filter(({ to }) => to.port === OTHER.port).length).toBeLessThanOrEqual(2)
  })

  test('is challenged by each record from there, where that proof was lost', () => {
    const guest = busy()
    expect(guest.bed.records.map(({ bytes }) => bytes.length)).toEqual([42])
  })
})
