import {
  ADMISSION_COUNTERS,
  type AddressValidation,
  Admission,
  type AdmissionCounter,
  type Admitted,
  addressLimit,
  admissionRates,
  Counters,
  duration,
  type Instant,
  instant,
  later,
  Outbox,
  type Rate,
  RateLimit,
  type RequestMessage,
} from '@showchain/client/core'
import {
  CookieJar,
  generateIdentity,
  KeyCache,
  openssl,
  type PublicKey,
  RequestReplay,
  TokenMint,
} from '@showchain/crypto'
import {
  decode,
  type Encoding,
  type Endpoint,
  type Extensions,
  encode,
  type Message,
  OP,
  type PeerId,
  peerIdFromBytes,
} from '@showchain/wire'
import { beforeAll, describe, expect, test } from 'vitest'

const UNIX_START = 1_800_000_000_000
const self = peerIdFromBytes(new Uint8Array(32).fill(1))
const source: Endpoint = { ip: '198.51.100.7', port: 4000 }
const elsewhere: Endpoint = { ip: '203.0.113.9', port: 4000 }
const busy = { perSecond: 1000, burst: 1000 }
/** Nobody issued it. */
const NO_COOKIE = new Uint8Array(30)

let key: PublicKey
beforeAll(async () => {
  key = (await generateIdentity()).publicKey
})

interface Settings {
  readonly known?: boolean
  readonly configured?: boolean
  readonly source?: Rate
  readonly id?: RateLimit
  readonly limits?: { readonly answers: number; readonly verifications: number }
}

/** An admission whose signatures are good or bad as the test says. */
function setUp({ known = true, configured = false, ...settings }: Settings = {}) {
  let now: Instant = instant(1000)
  let seq = 1
  const counters = new Counters<AdmissionCounter>(ADMISSION_COUNTERS)
  const outbox = new Outbox<never>()
  const keys = new KeyCache(openssl, 10)
  if (known) keys.learn(key.id, key.spki)
  const unixMs = () => UNIX_START + now
  const random = { bytes: (length: number) => new Uint8Array(length).fill(9), uint32: () => 1, uniform: () => 0 }
  const admission = new Admission({
    provider: openssl,
    keys,
    speaksOnlySeed: () => configured,
    cookies: new CookieJar(openssl, random),
    tokens: new TokenMint(openssl, random),
    replay: new RequestReplay({ unixMs, capacity: 10 }),
    rates: {
      ...admissionRates(settings.source ?? busy, busy, 100, addressLimit),
      ...(settings.id && { id: settings.id }),
    },
    outbox,
    count: counters.count,
    limits: settings.limits ?? { answers: 10, verifications: 10 },
  })
  const admitted: Admitted[] = []
  const verdicts: ((valid: boolean | undefined) => void)[] = []
  const request = (change: Partial<RequestMessage> & { readonly ext?: Extensions } = {}): RequestMessage =>
    ({
      op_code: OP.directRequest,
      id: key.id,
      target: self,
      seq: seq++,
      ts: unixMs(),
      sign: new Uint8Array(key.signatureLength),
      ...change,
    }) as RequestMessage
  /** Sends the request and returns what was answered; its signature waits in `verdicts`. */
  const send = (
    message: RequestMessage,
    validation: AddressValidation,
    from = source,
    encoding: Encoding = 'binary',
  ): Message[] => {
    const bytes = encode(message, encoding)
    admission.admit({ message, bytes, source: from, encoding }, validation, now, (one) => void admitted.push(one))
    return answers()
  }
  const answers = (): Message[] => {
    const sent: Message[] = []
    for (let output = outbox.poll(); output !== undefined; output = outbox.poll()) {
      const work = output
      if (work.type === 'work' && work.kind === 'verify') verdicts.push((valid) => work.resume(valid, now))
      if (output.type !== 'transmit') continue
      const decoded = decode(output.bytes)
      if (decoded.ok) sent.push(decoded.message)
    }
    return sent
  }
  /** Sends a request whose signature is good. */
  const good = (message: RequestMessage, validation: AddressValidation, from = source): Message[] => {
    const sent = send(message, validation, from)
    verdicts.shift()?.(true)
    return [...sent, ...answers()]
  }
  const challenge = (message: RequestMessage, from = source) => {
    const [first] = send(message, 'unvalidated', from)
    if (first?.op_code !== OP.challenge) throw new Error('no challenge')
    return first
  }
  const pass = (ms: number): void => {
    now = later(now, duration(ms))
    admission.expire(now)
  }
  return { admission, counters, keys, admitted, verdicts, request, send, good, challenge, answers, pass, unixMs }
}

describe('a stranger with extension fields', () => {
  test('is challenged, and no signature is checked', () => {
    const { send, request, verdicts, counters } = setUp()
    const message = request({ ext: { caps: 1 } })
    expect(send(message, 'unvalidated')).toMatchObject([
      { op_code: OP.challenge, ref_op: OP.directRequest, seq: message.seq, ts: message.ts },
    ])
    expect(verdicts).toHaveLength(0)
    expect(counters.get('challenged')).toBe(1)
  })

  test('is admitted with the cookie, once the signature verified', () => {
    const { challenge, send, request, admitted, verdicts } = setUp()
    const { cookie } = challenge(request({ ext: { caps: 1 } }))
    send(request({ ext: { cookie } }), 'unvalidated')
    expect(admitted).toHaveLength(0)
    verdicts.shift()?.(true)
    expect(admitted).toMatchObject([{ by: 'cookie', source }])
  })

  test('is challenged anew for a cookie that is not its own', () => {
    const { challenge, send, request } = setUp()
    const { cookie } = challenge(request({ ext: { caps: 1 } }), elsewhere)
    expect(send(request({ ext: { cookie } }), 'unvalidated')).toMatchObject([{ op_code: OP.challenge }])
  })

  test('is challenged in its encoding', () => {
    const { admission, request, counters } = setUp()
    const message = request({ ext: { caps: 1 } })
    const bytes = encode(message, 'json')
    admission.admit({ message, bytes, source, encoding: 'json' }, 'unvalidated', instant(1000), () => {})
    expect(counters.get('challenged')).toBe(1)
  })

  test('brings its key along, which must hash to its id', () => {
    const { good, challenge, request, admitted, keys, counters } = setUp({ known: false })
    const { cookie } = challenge(request({ ext: { key: key.spki } }))
    good(request({ ext: { key: key.spki, cookie } }), 'unvalidated')
    expect(admitted).toHaveLength(1)
    expect(keys.get(key.id)).toBeDefined()
    expect(good(request({ id: self, target: key.id, ext: { key: key.spki } }), 'unvalidated')).toEqual([])
    expect(counters.get('badKey')).toBe(1)
  })

  test('whose key nobody knows is not admitted, cookie or not', () => {
    const { challenge, send, request, counters, verdicts } = setUp({ known: false })
    const { cookie } = challenge(request({ ext: { caps: 1 } }))
    expect(send(request({ ext: { cookie } }), 'unvalidated')).toEqual([])
    expect(counters.get('unknownKey')).toBe(1)
    expect(verdicts).toHaveLength(0)
  })

  test('cannot come in twice by one recorded request', () => {
    const { challenge, good, request, admitted, pass } = setUp()
    const { cookie } = challenge(request({ ext: { caps: 1 } }))
    const recorded = request({ ext: { cookie } })
    good(recorded, 'unvalidated')
    pass(16_000)
    expect(good(recorded, 'unvalidated')).toMatchObject([{ op_code: OP.challenge }])
    expect(admitted).toHaveLength(1)
  })
})

describe('a stranger without extension fields', () => {
  test('is never challenged; its key must be from configuration', () => {
    const { good, request, admitted, counters } = setUp({ configured: false })
    expect(good(request(), 'unvalidated')).toEqual([])
    expect(admitted).toHaveLength(0)
    expect(counters.get('unknownKey')).toBe(1)
    const configured = setUp({ configured: true })
    expect(configured.good(configured.request(), 'unvalidated')).toEqual([])
    expect(configured.admitted).toMatchObject([{ by: 'seed' }])
  })

  test.each<[string, (cookie: Uint8Array) => Extensions]>([
    ['a cookie', (cookie) => ({ cookie })],
    ['a cookie and capabilities', (cookie) => ({ cookie, caps: 4 })],
  ])('is none once it signed %s, whatever configuration says', (_what, ext) => {
    const { good, challenge, request, admitted, counters } = setUp({ configured: true })
    const { cookie } = challenge(request({ ext: { key: key.spki } }))
    good(request({ ext: ext(cookie) }), 'unvalidated')
    expect(admitted).toMatchObject([{ by: 'cookie' }])
    // As somebody sends it who recorded one of another time and took the key out.
    expect(good(request(), 'unvalidated', elsewhere)).toEqual([])
    expect([admitted.length, counters.get('unknownKey')]).toEqual([1, 1])
    // From where it is bound it may leave them out.
    good(request(), 'validated')
    expect(admitted).toHaveLength(2)
  })

  test('is one still, when somebody else puts unsigned fields into its request', () => {
    const { good, challenge, request, admitted } = setUp({ configured: true })
    challenge(request({ ext: { key: key.spki } }))
    good(request({ ext: { key: key.spki } }), 'validated')
    good(request(), 'unvalidated')
    expect(admitted).toMatchObject([{ by: 'bound' }, { by: 'seed' }])
  })

  test('is one still, when its signature over a cookie is bad', () => {
    const { send, challenge, good, request, admitted, verdicts } = setUp({ configured: true })
    const { cookie } = challenge(request({ ext: { key: key.spki } }))
    send(request({ ext: { cookie } }), 'unvalidated')
    verdicts.shift()?.(false)
    good(request(), 'unvalidated')
    expect(admitted).toMatchObject([{ by: 'seed' }])
  })
})

describe.each([
  ['validated', 'bound'],
  ['expected', 'expected'],
] as const)('a sender that is %s', (validation, by) => {
  test('is not challenged', () => {
    const { good, request, admitted } = setUp()
    expect(good(request({ ext: { caps: 1 } }), validation)).toEqual([])
    expect(admitted).toMatchObject([{ by }])
  })

  test('is admitted by a key that the receiver keeps elsewhere', () => {
    const { admission, request, admitted, answers, verdicts } = setUp({ known: false })
    const message = request()
    const bytes = encode(message, 'binary')
    const act = (one: Admitted): void => void admitted.push(one)
    admission.admit({ message, bytes, source, encoding: 'binary' }, validation, instant(1000), act, key.spki)
    answers()
    verdicts.shift()?.(true)
    expect(admitted).toHaveLength(1)
  })
})

describe('replay', () => {
  test('(ts, seq) must grow lexicographically', () => {
    const { good, request, admitted, unixMs } = setUp()
    const at = (ts: number, seq: number) => {
      good(request({ ts: unixMs() + ts, seq }), 'validated')
      return admitted.length
    }
    expect([at(0, 10), at(0, 10), at(0, 9), at(-1, 11), at(0, 11), at(1, 1)]).toEqual([1, 1, 1, 1, 2, 3])
  })

  test('each (op, target) has a row of its own', () => {
    const { good, request, admitted, unixMs, pass } = setUp()
    pass(1000)
    const other = peerIdFromBytes(new Uint8Array(32).fill(2))
    good(request({ ts: unixMs() + 5 }), 'validated')
    good(request({ op_code: OP.punchRequest }), 'validated')
    good(request({ op_code: OP.punchRequest, target: other }), 'validated')
    expect(admitted).toHaveLength(3)
  })

  test('a first contact is within a minute, both ways', () => {
    for (const [offset, expected] of [
      [-60_001, 0],
      [60_001, 0],
      [60_000, 1],
    ] as const) {
      const { good, request, admitted, unixMs, pass } = setUp()
      pass(100_000)
      good(request({ ts: unixMs() + offset }), 'validated')
      expect(admitted).toHaveLength(expected)
    }
  })

  test('without a cookie nothing older than the start is new', () => {
    const { good, request, admitted } = setUp()
    good(request({ ts: UNIX_START + 999 }), 'validated')
    expect(admitted).toHaveLength(0)
    good(request({ ts: UNIX_START + 1000 }), 'validated')
    expect(admitted).toHaveLength(1)
  })

  test('state advances only after the signature verified', () => {
    const { send, good, request, admitted, verdicts, counters, unixMs } = setUp()
    send(request({ ts: unixMs() + 50_000 }), 'validated')
    verdicts.shift()?.(false)
    expect(counters.get('badSignature')).toBe(1)
    good(request(), 'validated')
    expect(admitted).toHaveLength(1)
  })

  test('a valid signed cookie resets it, whichever way the clock went', () => {
    const { challenge, good, request, admitted, unixMs } = setUp()
    good(request({ ts: unixMs() + 60_000 }), 'validated')
    for (const ts of [unixMs() - 10_000_000, unixMs() + 10_000_000]) {
      const { cookie } = challenge(request({ ts, ext: { caps: 1 } }))
      good(request({ ts, ext: { cookie } }), 'unvalidated')
    }
    expect(admitted).toHaveLength(3)
  })

  test('after a cookie, first contacts are measured on the clock that it vouched for', () => {
    const { challenge, good, request, admitted, unixMs } = setUp()
    const ts = unixMs() - 10_000_000
    const { cookie } = challenge(request({ ts, ext: { caps: 1 } }))
    good(request({ ts, ext: { cookie } }), 'unvalidated')
    good(request({ op_code: OP.punchRequest, ts: ts + 100 }), 'validated')
    good(request({ op_code: OP.proxyRequest }), 'validated')
    expect(admitted.map(({ message }) => message.op_code)).toEqual([OP.directRequest, OP.punchRequest])
  })

  test('a request that is new no more when its signature has verified is not admitted', () => {
    const { challenge, send, request, verdicts, admitted, counters, unixMs } = setUp()
    send(request({ op_code: OP.punchRequest }), 'validated')
    // Meanwhile a cookie vouches for another clock, by which that first contact is hours old.
    const ts = unixMs() + 10_000_000
    const { cookie } = challenge(request({ ts, ext: { caps: 1 } }))
    send(request({ ts, ext: { cookie } }), 'unvalidated')
    const [ofPunch, ofCookie] = verdicts
    ofCookie?.(true)
    ofPunch?.(true)
    expect(admitted.map(({ message }) => message.op_code)).toEqual([OP.directRequest])
    expect(counters.get('replayed')).toBe(1)
  })
})

describe('a repeated request', () => {
  const answer = encode({ op_code: OP.keepAlive, id: self, seq: 0, ts: 0 }, 'binary')

  test('gets the same answer for 15 s, without another signature check', () => {
    const { good, send, request, admitted, verdicts, pass, answers } = setUp()
    const message = request()
    good(message, 'validated')
    admitted[0]?.respond(answer, instant(1000))
    expect(answers()).toHaveLength(1)
    pass(14_999)
    expect(send(message, 'validated')).toMatchObject([{ op_code: OP.keepAlive }])
    expect(verdicts).toHaveLength(0)
    pass(1)
    expect(send(message, 'validated')).toEqual([])
    expect(verdicts).toHaveLength(0)
  })

  test('gets an answer that took long for 15 s from when it was given', () => {
    const { good, send, request, admitted, pass, answers } = setUp()
    const message = request()
    good(message, 'validated')
    pass(10_000)
    admitted[0]?.respond(answer, instant(11_000))
    answers()
    pass(14_000)
    expect(send(message, 'validated')).toMatchObject([{ op_code: OP.keepAlive }])
  })

  test('does nothing while it is being verified or answered', () => {
    const { send, request, admitted, verdicts, counters } = setUp()
    const message = request()
    send(message, 'validated')
    expect(send(message, 'validated')).toEqual([])
    expect(verdicts).toHaveLength(1)
    verdicts.shift()?.(true)
    expect(send(message, 'validated')).toEqual([])
    expect(admitted).toHaveLength(1)
    expect(counters.get('inProgress')).toBe(2)
  })

  test('from another source is no repetition', () => {
    const { good, send, request, admitted, counters } = setUp()
    const message = request()
    good(message, 'validated')
    admitted[0]?.respond(answer, instant(1000))
    expect(send(message, 'validated', elsewhere).filter((sent) => sent.op_code === OP.challenge)).toEqual([])
    expect(counters.get('replayed')).toBe(1)
  })

  test('keeps its answer when others try to take its place', () => {
    const { good, send, request, admitted, verdicts, answers, unixMs } = setUp()
    const message = request()
    good(message, 'validated')
    admitted[0]?.respond(answer, instant(1000))
    answers()
    send(request({ ts: unixMs() + 5000 }), 'validated')
    verdicts.shift()?.(false)
    expect(send(message, 'validated')).toMatchObject([{ op_code: OP.keepAlive }])
  })

  test('may be told to do something else than answer', () => {
    const { good, send, request, admitted } = setUp()
    const message = request()
    good(message, 'validated')
    let repeats = 0
    admitted[0]?.onRepeat(() => void repeats++)
    send(message, 'validated')
    expect(repeats).toBe(1)
  })
})

describe('limits', () => {
  const once = { perSecond: 1, burst: 1 }

  test('a stranger gets 3 challenges at each address and port at once, one a second, and no signature check', () => {
    const { send, request, counters, verdicts, pass } = setUp({ source: once })
    const challenges = (from: Endpoint, change: Extensions = { caps: 1 }) =>
      Array.from({ length: 5 }, () => send(request({ ext: change }), 'unvalidated', from).length)
    expect(challenges(source)).toEqual([1, 1, 1, 0, 0])
    expect(challenges({ ...source, port: 4001 })).toEqual([1, 1, 1, 0, 0])
    pass(1000)
    expect(challenges(source)).toEqual([1, 0, 0, 0, 0])
    expect(verdicts).toHaveLength(0)
    expect(counters.get('rateLimited')).toBe(8)
    // None of them spent the rate of the source, and a cookie that is none spends both.
    expect(challenges({ ...source, port: 4002 }, { cookie: NO_COOKIE })).toEqual([1, 1, 1, 1, 0])
  })

  test('a source over its rate gets no signature check for what proves nothing', () => {
    const { send, request, counters, verdicts } = setUp({ source: once, configured: true })
    send(request({ ext: { cookie: NO_COOKIE } }), 'unvalidated')
    send(request(), 'unvalidated')
    send(request({ ext: { caps: 1 } }), 'expected')
    expect(verdicts).toHaveLength(0)
    expect(counters.get('rateLimited')).toBe(2)
  })

  test('a flood in the name of its source does not keep a peer out', () => {
    const { challenge, good, send, request, admitted } = setUp({ source: { perSecond: 1, burst: 2 } })
    const flood = () => {
      for (let port = 5000; port < 5050; port++)
        for (const ext of [{ caps: 1 }, { cookie: NO_COOKIE }])
          send(request({ ext }), 'unvalidated', { ...source, port })
    }
    flood()
    const { cookie } = challenge(request({ ext: { caps: 1 } }))
    flood()
    good(request({ ext: { cookie } }), 'unvalidated')
    flood()
    good(request(), 'validated')
    expect(admitted.map(({ by }) => by)).toEqual(['cookie', 'bound'])
  })

  test('the rate of a proven source ends too', () => {
    const { send, good, request, admitted, counters } = setUp({ source: { perSecond: 1, burst: 3 } })
    for (let times = 0; times < 3; times++) send(request({ ext: { cookie: NO_COOKIE } }), 'unvalidated')
    for (let times = 0; times < 5; times++) good(request(), 'validated')
    expect(admitted).toHaveLength(3)
    expect(counters.get('rateLimited')).toBe(2)
  })

  test('a cookie of another address is no proof', () => {
    const { challenge, send, request, verdicts } = setUp({ source: once })
    const { cookie } = challenge(request({ ext: { caps: 1 } }), elsewhere)
    send(request({ ext: { caps: 1 } }), 'unvalidated')
    for (let times = 0; times < 20; times++) send(request({ ext: { cookie } }), 'unvalidated')
    expect(verdicts).toHaveLength(0)
    expect(send(request({ ext: { cookie } }), 'unvalidated')).toHaveLength(0)
  })

  test('an id over its rate gets no signature check at its own address', () => {
    const { good, send, request, verdicts } = setUp({ id: new RateLimit({ perSecond: 1, burst: 1 }, 10) })
    good(request(), 'validated')
    send(request(), 'validated')
    expect(verdicts).toHaveLength(0)
  })

  test('a stranger cannot use up the rate of an id that it cannot sign for', () => {
    const { challenge, send, good, request, verdicts, admitted, pass } = setUp({
      id: new RateLimit({ perSecond: 0.1, burst: 1 }, 10),
    })
    for (let times = 0; times < 5; times++) {
      pass(1000)
      const { cookie } = challenge(request({ ext: { caps: 1 } }), elsewhere)
      send(request({ ext: { cookie } }), 'unvalidated', elsewhere)
      verdicts.shift()?.(false)
    }
    good(request(), 'validated')
    expect(admitted).toHaveLength(1)
  })

  test('an id over its rate is not admitted from elsewhere either, and may try again', () => {
    const { challenge, good, request, admitted, pass } = setUp({ id: new RateLimit({ perSecond: 1, burst: 1 }, 10) })
    const { cookie } = challenge(request({ ext: { caps: 1 } }))
    good(request({ ext: { cookie } }), 'unvalidated')
    const again = challenge(request({ ext: { caps: 1 } }))
    const second = request({ ext: { cookie: again.cookie } })
    good(second, 'unvalidated')
    expect(admitted).toHaveLength(1)
    pass(1000)
    good(second, 'unvalidated')
    expect(admitted).toHaveLength(2)
  })

  test('one signature of each (id, op, target) is checked at a time', () => {
    const { send, request, verdicts } = setUp()
    send(request(), 'validated')
    send(request(), 'validated')
    send(request({ op_code: OP.punchRequest }), 'validated')
    expect(verdicts).toHaveLength(2)
  })

  test('signatures in verification are capped', () => {
    const { send, request, counters } = setUp({ limits: { answers: 10, verifications: 1 } })
    send(request(), 'validated')
    send(request({ op_code: OP.punchRequest }), 'validated')
    expect(counters.get('verifyShed')).toBe(1)
  })

  test('a signature that nobody had time for changes nothing', () => {
    const { send, good, request, verdicts, admitted, counters } = setUp()
    const message = request()
    send(message, 'validated')
    verdicts.shift()?.(undefined)
    expect(counters.get('verifyShed')).toBe(1)
    good(message, 'validated')
    expect(admitted).toHaveLength(1)
  })

  test('a signature of the wrong length is not checked', () => {
    const { send, request, verdicts, counters } = setUp()
    send(request({ sign: new Uint8Array(512) }), 'validated')
    expect(verdicts).toHaveLength(0)
    expect(counters.get('badSignature')).toBe(1)
  })

  test('requests whose answer is kept are capped: the oldest is forgotten', () => {
    const { good, send, request, admission, admitted, counters } = setUp({ limits: { answers: 2, verifications: 10 } })
    const targets = [3, 4, 5].map((byte): PeerId => peerIdFromBytes(new Uint8Array(32).fill(byte)))
    const messages = targets.map((target) => request({ target }))
    for (const message of messages) good(message, 'validated')
    for (const one of admitted) one.respond(new Uint8Array(1), instant(1000))
    expect(admission.answers).toBe(2)
    for (const message of messages) send(message, 'validated')
    expect([counters.get('replayed'), counters.get('repeated')]).toEqual([1, 2])
  })

  test('everything kept ends', () => {
    const { good, challenge, request, admission, pass } = setUp()
    const { cookie } = challenge(request({ ext: { caps: 1 } }))
    good(request({ ext: { cookie } }), 'unvalidated')
    expect(admission.deadline).toBe(16_000)
    pass(240_000)
    expect(admission.deadline).toBeUndefined()
    expect(admission.answers).toBe(0)
  })
})
