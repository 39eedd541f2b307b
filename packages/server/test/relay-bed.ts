/**
 * A relay's machine alone on virtual time, and peers that are nothing but a key, an address and a
 * clock.
 */
import { duration, type Instant, instant, later, type Work } from '@showchain/client/core'
import { type KeyBits, messagePreimage, Permits, type PublicKey, type Random } from '@showchain/crypto/core'
import { type TestIdentity, TestProvider } from '@showchain/crypto/testing'
import {
  type FleetMessage,
  type FleetOptions,
  type Quotas,
  type RelayEvent,
  type RelayLimits,
  RelayMachine,
  type Usage,
  type Verdict,
} from '@showchain/server'
import {
  decode,
  type Encoding,
  type Endpoint,
  type Extensions,
  encode,
  type Message,
  type MessageOf,
  OP,
  type OpCode,
  type PeerId,
  preimage,
  type SessionId,
  sameEndpoint,
  sessionIdToBytes,
  type Unsigned,
} from '@showchain/wire'
import { CHANNEL_HEADER_BYTES, isChannelFrame, writeChannelHeader } from '@showchain/wire/end-to-end'
import { expect } from 'vitest'

/** Shared by all beds, so that keys can be made before a bed. */
export const provider = new TestProvider()
/** The identity with this number: the same in every run. */
export const identityOf = (number: number, bits?: KeyBits): TestIdentity => provider.identity(String(number), bits)

export const permitsOf = (identity: TestIdentity): Permits => new Permits(provider, identity)

/** When the tests begin. */
const UNIX_START = 1_800_000_000_000

export interface Sent {
  readonly to: Endpoint
  readonly bytes: Uint8Array
  readonly message: Message
  readonly encoding: Encoding
}

/** Counts up: the same in every run, and no two draws are equal. */
export function countingRandom(): Random {
  let next = 1
  const bytes = (length: number): Uint8Array => {
    const out = new Uint8Array(length)
    new DataView(out.buffer).setUint32(0, next++)
    return out
  }
  return { bytes, uint32: () => next++, uniform: () => 0.5 }
}

export class TestPeer {
  readonly identity: TestIdentity
  source: Endpoint
  encoding: Encoding
  /** Whether it sends extension fields with its registration. */
  readonly seedMode: boolean
  /** Its clock minus the relay's. */
  clockOffset = 0
  #seq = 1000

  constructor(options: { identity: TestIdentity; source: Endpoint; encoding?: Encoding; seedMode?: boolean }) {
    this.identity = options.identity
    this.source = options.source
    this.encoding = options.encoding ?? 'binary'
    this.seedMode = options.seedMode ?? false
  }

  get key(): PublicKey {
    return this.identity.publicKey
  }

  get id(): PeerId {
    return this.identity.id
  }

  nextSeq(): number {
    return this.#seq++
  }
}

export interface BedOptions {
  readonly limits?: Partial<RelayLimits>
  readonly knownKeys?: readonly PublicKey[]
  readonly identity?: TestIdentity
  /** Whether the relay asks who may use it. */
  readonly asks?: boolean
  /** Whether it takes permits. */
  readonly takesPermits?: boolean
  readonly quotas?: Quotas
  /** What is kept of what was used. @default nothing */
  readonly usage?: Map<string, Usage>
  readonly fleet?: FleetOptions
}

type Timeless<M> = M extends M ? Omit<M, 'seq' | 'ts'> & { readonly seq?: number; readonly ts?: number } : never
type Sendable = Timeless<Unsigned> | Timeless<Message>

export class Bed {
  readonly identity: TestIdentity
  readonly machine: RelayMachine
  readonly events: RelayEvent[] = []
  /** What it said to other nodes of its fleet. */
  readonly said: FleetMessage[] = []
  /** Work that waits for `finish`, when `holds` is set. */
  readonly held: Work[] = []
  /** Keep work back instead of doing it at once. */
  holds = false
  /** Resume work with undefined, as a full queue does. */
  sheds: 'sign' | 'verify' | undefined
  now: Instant = instant(5_000)
  /** How far the relay's wall clock has stepped. */
  clockStep = 0
  /** Signatures checked so far. */
  verified = 0
  /** Signatures made so far. */
  signed = 0
  /** What the relay wrote of what was used. */
  readonly usage: Map<string, Usage>
  readonly #asks: boolean
  #peers = 0
  #sent: Sent[] = []

  constructor({
    limits,
    knownKeys,
    asks,
    takesPermits = false,
    quotas,
    fleet,
    usage = new Map(),
    identity = identityOf(0),
  }: BedOptions = {}) {
    this.identity = identity
    this.usage = usage
    this.#asks = asks === true
    this.machine = new RelayMachine({
      self: identity.publicKey,
      provider,
      random: countingRandom(),
      unixMs: () => this.unixMs + this.clockStep,
      ...{ knownKeys, limits, asks, quotas, fleet },
      permits: takesPermits ? permitsOf(identity) : undefined,
      total: usage.get('total'),
    })
  }

  get key(): PublicKey {
    return this.identity.publicKey
  }

  get id(): PeerId {
    return this.identity.id
  }

  get unixMs(): number {
    return UNIX_START + this.now
  }

  /** A peer that the relay has not heard of, at an address of its own. */
  peer(options: Partial<ConstructorParameters<typeof TestPeer>[0]> = {}): TestPeer {
    const number = ++this.#peers
    return new TestPeer({
      identity: identityOf(number),
      source: { ip: `198.51.100.${number}`, port: 4000 + number },
      ...options,
    })
  }

  /** A registered peer. */
  registered(options: Partial<ConstructorParameters<typeof TestPeer>[0]> = {}): TestPeer {
    const peer = this.peer(options)
    this.register(peer)
    return peer
  }

  /** Registers by the book, with the challenge that comes; returns the last answers. */
  register(peer: TestPeer, ext: Extensions = peer.seedMode ? {} : { key: peer.key.spki }): Sent[] {
    const request = { op_code: OP.directRequest, id: peer.id, target: this.id } as const
    const answers = this.send(peer, Object.keys(ext).length === 0 ? request : { ...request, ext })
    const [challenge] = answers
    if (challenge?.message.op_code !== OP.challenge) return answers
    return this.send(peer, { ...request, ext: { ...ext, cookie: challenge.message.cookie } })
  }

  /** The message, stamped and signed where it needs to be. */
  made(peer: TestPeer, message: Sendable): Message {
    const stamped = { seq: peer.nextSeq(), ts: this.unixMs + peer.clockOffset, ...message } as Message
    const signs = 'sign' in message || !isSigned(stamped)
    if (signs) return stamped
    const covered = messagePreimage(provider, stamped as Unsigned)
    return { ...stamped, sign: peer.identity.signNow(covered) } as Message
  }

  /** Sends a message and returns what the relay sent because of it. */
  send(peer: TestPeer, message: Sendable, how: { source?: Endpoint; encoding?: Encoding } = {}): Sent[] {
    return this.sendBytes(how.source ?? peer.source, encode(this.made(peer, message), how.encoding ?? peer.encoding))
  }

  bytesOf(peer: TestPeer, message: Sendable): Uint8Array {
    return encode(this.made(peer, message), peer.encoding)
  }

  sendBytes(source: Endpoint, bytes: Uint8Array): Sent[] {
    this.#sent = []
    this.machine.receive({ bytes, source }, this.now)
    this.#drain()
    return this.#sent
  }

  /** Does the work that was held back. */
  finish(): Sent[] {
    this.#sent = []
    for (const work of this.held.splice(0)) this.#do(work)
    this.#drain()
    return this.#sent
  }

  /** Lets time pass; the machine is woken whenever it asked for it. */
  pass(ms: number): Sent[] {
    this.#sent = []
    const end = later(this.now, duration(ms))
    for (let due = this.machine.deadline; due !== undefined && due <= end; due = this.machine.deadline) {
      this.now = instant(Math.max(due, this.now))
      this.machine.wake(this.now)
      this.#drain()
    }
    this.now = end
    return this.#sent
  }

  /** The questions whether somebody may use the relay, so far. */
  get applied(): readonly Extract<RelayEvent, { type: 'applied' }>[] {
    return this.events.filter((event) => event.type === 'applied')
  }

  /** Answers a question. @default the last one */
  decide(verdict: Verdict, question = this.applied.at(-1)): Sent[] {
    this.#sent = []
    if (question !== undefined)
      this.machine.access.gate.answered(question, verdict, this.#kept(question.missing), this.now)
    this.#drain()
    return this.#sent
  }

  /** A message of its fleet comes; returns what it sent to peers because of it. */
  hears(message: Uint8Array): Sent[] {
    this.#sent = []
    this.machine.fleetReceived(message, this.now)
    this.#drain()
    return this.#sent
  }

  /** What the relay had written of these. */
  #kept(keys: readonly string[]): readonly Usage[] {
    return keys.flatMap((key) => this.usage.get(key) ?? [])
  }

  drain(): Sent[] {
    this.#sent = []
    this.machine.drain(this.now)
    this.#drain()
    return this.#sent
  }

  count(name: keyof ReturnType<RelayMachine['counters']>): number {
    return this.machine.counters()[name]
  }

  #drain(): void {
    for (let output = this.machine.poll(); output !== undefined; output = this.machine.poll()) {
      if (output.type === 'event') this.#on(output.event)
      else if (output.type === 'transmit') {
        // Frames that were passed on are no messages; the relay counts them.
        if (!isChannelFrame(output.bytes)) this.#sent.push(received(output.to, output.bytes))
      } else if (output.type === 'socket' || output.type === 'pause')
        throw new Error('A relay opens no sockets, and makes no pauses.')
      else if (this.holds) this.held.push(output)
      else this.#do(output)
    }
  }

  /** Where access is not decided by the test, everyone may use the relay. */
  #on(event: RelayEvent | FleetMessage): void {
    if (event.type === 'fleet') return void this.said.push(event)
    this.events.push(event)
    if (event.type === 'used') for (const each of event.usage) this.usage.set(each.key, each)
    if (event.type === 'applied' && !this.#asks)
      this.machine.access.gate.answered(event, 'allowed', this.#kept(event.missing), this.now)
  }

  #do(work: Work): void {
    if (this.sheds === work.kind) work.resume(undefined, this.now)
    else if (work.kind === 'sign') {
      this.signed++
      work.resume(this.identity.signNow(work.preimage), this.now)
    } else if (work.kind === 'verify') {
      this.verified++
      work.resume(provider.verify(work.key, work.preimage, work.signature), this.now)
    }
  }
}

const isSigned = (message: Message): boolean => {
  try {
    preimage(message as Unsigned, () => new Uint8Array(32))
    return true
  } catch {
    return false
  }
}

function received(to: Endpoint, bytes: Uint8Array): Sent {
  const decoded = decode(bytes, { strict: true })
  if (!decoded.ok) throw new Error(`The relay sent what is no message: ${decoded.refusal}`)
  return { to, bytes, message: decoded.message, encoding: decoded.encoding }
}

/** The one message of this op code that went to the peer. */
export function only<Op extends OpCode>(sent: readonly Sent[], op: Op, to?: TestPeer): MessageOf<Op> {
  const found = sent.filter(
    (each) => each.message.op_code === op && (to === undefined || sameEndpoint(each.to, to.source)),
  )
  expect(found, `messages 0x${op.toString(16)}`).toHaveLength(1)
  return found[0]?.message as MessageOf<Op>
}

/** Op codes in the order of sending. */
export const ops = (sent: readonly Sent[]): readonly number[] => sent.map(({ message }) => message.op_code)

/** Whether the signature is this key's. */
export const isSignedBy = (key: PublicKey, message: Message): boolean => {
  const { sign } = message as Message & { readonly sign: Uint8Array }
  return provider.verify(key, messagePreimage(provider, message as Unsigned), sign)
}

/** Opens a proxy session and returns its id. */
export function openSession(bed: Bed, requester: TestPeer, target: TestPeer): SessionId {
  const sent = bed.send(requester, { op_code: OP.proxyRequest, target: target.id, id: requester.id })
  return only(sent, OP.proxyResponse, requester).session
}

/** Proxied data, ready to be sent. */
export const data = (
  from: TestPeer,
  to: TestPeer,
  session: SessionId,
  text = 'hello',
): Omit<MessageOf<typeof OP.proxyData>, 'seq' | 'ts' | 'sign'> => ({
  op_code: OP.proxyData,
  target: to.id,
  id: from.id,
  data: new TextEncoder().encode(text),
  session,
})

/** A channel frame of so many bytes in all. */
export function channelFrame(session: SessionId, bytes: number): Uint8Array {
  const frame = new Uint8Array(Math.max(bytes, CHANNEL_HEADER_BYTES + 1))
  writeChannelHeader(frame, sessionIdToBytes(session))
  return frame
}
