/**
 * A peer's machine alone, on virtual time, with real keys: a test plays the relay and every other
 * peer, and sees each datagram that the machine sends.
 */
import { constants, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { messagePreimage, openssl, type PublicKey } from '@showchain/crypto'
import {
  decode,
  decodeStun,
  type Encoding,
  type Endpoint,
  encode,
  encodeStun,
  isStun,
  type Message,
  OP,
  RECORD_BYTE,
  sameEndpoint,
  type Unsigned,
} from '@showchain/wire'
import { duration, type Instant, instant, labPolicy, later, type PeerEvent, PeerMachine } from '../src/core/index.ts'
import { natDiscovery } from '../src/core/peer/nat-servers.ts'

export class Signer {
  readonly publicKey: PublicKey
  readonly #key: KeyObject

  constructor(modulusLength = 2048) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength })
    this.#key = privateKey
    this.publicKey = openssl.importPublicKey(publicKey.export({ type: 'spki', format: 'der' }))
  }

  get id(): PublicKey['id'] {
    return this.publicKey.id
  }

  sign(preimage: Uint8Array): Uint8Array {
    return new Uint8Array(sign('sha256', preimage, this.#key))
  }

  /** RSASSA-PSS, as for a certificate. */
  certify(preimage: Uint8Array): Uint8Array {
    const padding = constants.RSA_PKCS1_PSS_PADDING
    return new Uint8Array(sign('sha256', preimage, { key: this.#key, padding, saltLength: 32 }))
  }

  signed<U extends Unsigned>(unsigned: U): U & { readonly sign: Uint8Array } {
    return { ...unsigned, sign: this.sign(messagePreimage(openssl, unsigned)) }
  }
}

/** Made once: primes take their time. */
export const [self, relay, other] = [new Signer(), new Signer(), new Signer()] as const
export const RELAY: Endpoint = { ip: '192.0.2.1', port: 4400 }
export const OTHER: Endpoint = { ip: '198.51.100.7', port: 5000 }
/** This peer's address as the relay sees it. */
export const SEEN: Endpoint = { ip: '203.0.113.5', port: 6000 }

export interface Sent {
  readonly to: Endpoint
  readonly at: number
  readonly bytes: Uint8Array
  readonly message: Message
}

const EPOCH = 1_800_000_000_000

export class Bed {
  now: Instant = instant(0)
  readonly machine: PeerMachine
  readonly sent: Sent[] = []
  /** Records and parts of handshakes. */
  readonly records: { readonly to: Endpoint; readonly bytes: Uint8Array }[] = []
  /** What else is no message. */
  readonly stun: { readonly to: Endpoint; readonly bytes: Uint8Array }[] = []
  readonly events: PeerEvent[] = []
  /** What the application answers when asked; undefined: it thinks. */
  consent: boolean | undefined = true
  #chance = 1

  constructor(options: Partial<ConstructorParameters<typeof PeerMachine>[0]> = {}) {
    const uint32 = (): number => {
      this.#chance = (Math.imul(this.#chance, 1_664_525) + 1_013_904_223) >>> 0
      return this.#chance
    }
    this.machine = new PeerMachine({
      self: self.publicKey,
      provider: openssl,
      unixMs: () => this.unixMs,
      random: {
        uint32,
        uniform: () => uint32() / 2 ** 32,
        bytes: (length) => Uint8Array.from({ length }, () => uint32() >>> 24),
      },
      allows: labPolicy,
      plaintext: true,
      natDiscovery,
      ...options,
    })
  }

  get unixMs(): number {
    return EPOCH + Math.floor(this.now)
  }

  /** A command or an input, and everything that follows at once. */
  do<T>(command: (machine: PeerMachine, now: Instant) => T): T {
    const result = command(this.machine, this.now)
    for (let output = this.machine.poll(); output !== undefined; output = this.machine.poll()) {
      if (output.type === 'event') {
        this.events.push(output.event)
        const { consent } = this
        if (output.event.type === 'consent' && consent !== undefined) output.event.decide(consent, this.now)
      } else if (output.type === 'work' && output.kind === 'sign') output.resume(self.sign(output.preimage), this.now)
      else if (output.type === 'work' && output.kind === 'verify')
        output.resume(openssl.verify(output.key, output.preimage, output.signature), this.now)
      else if (output.type === 'transmit' && isStun(output.bytes))
        this.stun.push({ to: output.to, bytes: output.bytes })
      else if (output.type === 'transmit' && output.bytes[0] === RECORD_BYTE)
        this.records.push({ to: output.to, bytes: output.bytes })
      else if (output.type === 'transmit') {
        const decoded = decode(output.bytes)
        if (!decoded.ok) throw new Error(`the machine sent what is no message: ${decoded.refusal}`)
        this.sent.push({ to: output.to, at: this.now, bytes: output.bytes, message: decoded.message })
      }
    }
    return result
  }

  receive(message: Message, source: Endpoint, encoding: Encoding = 'binary'): void {
    this.do((machine, now) => machine.receive({ bytes: encode(message, encoding), source }, now))
  }

  /** Lets time pass, waking the machine when it asks for it. */
  advance(ms: number): void {
    const until = later(this.now, duration(ms))
    for (let at = this.machine.deadline; at !== undefined && at <= until; at = this.machine.deadline) {
      this.now = instant(Math.max(at, this.now))
      this.do((machine, now) => machine.wake(now))
    }
    this.now = until
  }

  /** Takes what was sent so far, oldest first. */
  taken(op?: number): readonly Sent[] {
    const all = this.sent.splice(0)
    return op === undefined ? all : all.filter(({ message }) => message.op_code === op)
  }

  last<Op extends Message['op_code']>(op: Op): Extract<Message, { readonly op_code: Op }> {
    const found = this.sent.findLast(({ message }) => message.op_code === op)
    if (found === undefined) throw new Error(`no 0x${op.toString(16)} was sent`)
    return found.message as Extract<Message, { readonly op_code: Op }>
  }

  eventsOf<Type extends PeerEvent['type']>(type: Type): readonly Extract<PeerEvent, { readonly type: Type }>[] {
    return this.events.filter((event): event is Extract<PeerEvent, { readonly type: Type }> => event.type === type)
  }

  /** Registers with the relay, which is taken through its whole answer. @param caps what the relay can do */
  registered(endpoint = RELAY, caps?: number): this {
    this.do((machine, now) => machine.register({ id: relay.id, endpoint }, now))
    this.answerRegistration(SEEN, endpoint, caps)
    this.taken()
    return this
  }

  /** Every STUN request that was sent so far is answered. */
  answerStun(mapped: Endpoint = SEEN): void {
    for (const { to: source, bytes } of this.stun.splice(0)) {
      const transactionId = decodeStun(bytes)?.transactionId
      if (transactionId === undefined) throw new Error('what was sent is no STUN request')
      const answer = encodeStun({ type: 'bindingSuccess', transactionId, mapped })
      this.do((machine, now) => machine.receive({ bytes: answer, source }, now))
    }
  }

  /** The relay's 0x102 to the 0x101 that was sent last. */
  answerRegistration(observed: Endpoint = SEEN, from: Endpoint = RELAY, caps?: number): void {
    const { seq, ts, ext } = this.last(OP.directRequest)
    const fields = ext === undefined ? {} : { ext: { key: relay.publicKey.spki, observed, caps } }
    this.receive(relay.signed({ op_code: OP.directResponse, id: relay.id, seq, ts, ...fields }), from)
  }

  counted(name: keyof ReturnType<PeerMachine['counters']>): number {
    return this.machine.counters()[name]
  }
}

export const sentTo = (to: Endpoint) => (sent: Sent) => sameEndpoint(sent.to, to)
