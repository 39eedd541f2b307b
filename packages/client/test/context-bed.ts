/**
 * What a single machine of a peer stands on, with real keys and on virtual time: its timers, its
 * requests, and all that it sends. A test plays everybody else.
 */
import { openssl } from '@showchain/crypto'
import { decode, type Endpoint, encode, isStun, type Message, OP, sameEndpoint } from '@showchain/wire'
import type { PeerContext } from '../src/core/context/peer-context.ts'
import {
  duration,
  type Instant,
  instant,
  labPolicy,
  later,
  type Output,
  type PeerEvent,
  type PeerMachine,
  type Route,
  type Work,
} from '../src/core/index.ts'
import { peerParts } from '../src/core/peer/peer-parts.ts'
import { Registration } from '../src/core/relays/registration.ts'
import { Transactions } from '../src/core/requests/transaction.ts'
import { relay, self } from './peer-bed.ts'

export interface Sent {
  readonly to: Route
  readonly at: number
  readonly bytes: Uint8Array
  readonly message: Message
}

/** A linear congruential generator: the same in every run. */
export function repeatable(seed = 1): { bytes(length: number): Uint8Array; uint32(): number; uniform(): number } {
  let state = seed
  const uint32 = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state
  }
  return {
    uint32,
    uniform: () => uint32() / 2 ** 32,
    bytes: (length) => Uint8Array.from({ length }, () => uint32() >>> 24),
  }
}

export class ContextBed {
  now: Instant = instant(0)
  readonly context: PeerContext
  readonly transactions: Transactions
  readonly sent: Sent[] = []
  /** When STUN Binding was asked for, and where. */
  readonly stunAsked: { readonly to: Route; readonly at: number; readonly bytes: Uint8Array }[] = []
  readonly events: PeerEvent[] = []
  /** Relays that answer keep-alives, unless a test takes them out. */
  readonly alive = new Set<Registration>()
  /** Extra sockets that are open. */
  readonly sockets = new Set<number>()
  /** Work is given back undone, as by a full queue. */
  sheds = false
  /** Signatures that were checked. */
  verified = 0
  readonly #parts: ReturnType<typeof peerParts>

  constructor(options: Partial<ConstructorParameters<typeof PeerMachine>[0]> = {}) {
    this.#parts = peerParts({
      self: self.publicKey,
      provider: openssl,
      unixMs: () => 1_800_000_000_000 + Math.floor(this.now),
      random: repeatable(),
      allows: labPolicy,
      plaintext: true,
      ...options,
    })
    this.context = this.#parts.context
    this.transactions = new Transactions(this.context)
  }

  /** Does something, and all that follows at once. */
  do<T>(act: (now: Instant) => T): T {
    const result = act(this.now)
    const { outbox } = this.#parts
    for (let output = outbox.poll(); output !== undefined; output = outbox.poll()) this.#take(output)
    return result
  }

  /** Hands an answer to the transaction that waits for it. @returns whether one did */
  answer(
    requestOp: number,
    message: Message & { readonly seq: number; readonly ts: number },
    source: Endpoint,
  ): boolean {
    const datagram = { bytes: encode(message, 'binary'), source }
    return this.do((now) => this.transactions.deliver(requestOp, message, datagram, now))
  }

  /** A registration with the relay at this address, which has not answered. */
  registration(endpoint: Endpoint): Registration {
    const registration = new Registration(
      this.context,
      this.transactions,
      { id: relay.id, endpoint },
      {
        needed: () => false,
        follows: () => true,
      },
    )
    this.do((now) => registration.start(now))
    return registration
  }

  /** The relay answers the registration. */
  register(registration: Registration): void {
    const { endpoint } = registration.relay
    this.alive.add(registration)
    const asked = this.sent.findLast(
      ({ to, message }) => message.op_code === OP.directRequest && sameEndpoint(to, endpoint),
    )?.message
    if (asked?.op_code !== OP.directRequest) throw new Error('the relay was not asked')
    const { seq, ts } = asked
    const ext = { key: relay.publicKey.spki }
    this.answer(OP.directRequest, relay.signed({ op_code: OP.directResponse, id: relay.id, seq, ts, ext }), endpoint)
  }

  /** Lets time pass; timers fire when they are due. */
  advance(ms: number): void {
    const until = later(this.now, duration(ms))
    const { timers } = this.#parts
    for (let at = timers.deadline; at !== undefined && at <= until; at = timers.deadline) {
      this.now = instant(Math.max(at, this.now))
      this.do((now) => timers.wake(now))
    }
    this.now = until
  }

  /** The host slept: no timer fires meanwhile. */
  sleep(ms: number): void {
    this.now = later(this.now, duration(ms))
    this.do((now) => this.#parts.timers.wake(now))
  }

  get idle(): boolean {
    return this.#parts.timers.deadline === undefined
  }

  /** Takes what was sent so far. */
  taken(): readonly Sent[] {
    return this.sent.splice(0)
  }

  /** When 0x100s were sent. */
  get keepAlives(): readonly number[] {
    return this.sent.filter(({ message }) => message.op_code === OP.keepAlive).map(({ at }) => at)
  }

  counted(name: Parameters<PeerContext['count']>[0]): number {
    return this.#parts.counters.get(name)
  }

  #take(output: Output<PeerEvent>): void {
    if (output.type === 'event') this.events.push(output.event)
    else if (output.type === 'work') this.#work(output)
    else if (output.type === 'socket')
      output.change === 'open' ? this.sockets.add(output.socket) : this.sockets.delete(output.socket)
    else if (output.type === 'pause') return
    else if (isStun(output.bytes)) this.stunAsked.push({ to: output.to, at: this.now, bytes: output.bytes })
    else {
      const decoded = decode(output.bytes)
      if (!decoded.ok) throw new Error(`what was sent is no message: ${decoded.refusal}`)
      const { message } = decoded
      this.sent.push({ to: output.to, at: this.now, bytes: output.bytes, message })
      if (message.op_code !== OP.keepAlive) return
      for (const each of this.alive) if (sameEndpoint(each.relay.endpoint, output.to)) each.heard(this.now)
    }
  }

  #work(work: Work): void {
    if (this.sheds) return work.resume(undefined, this.now)
    if (work.kind !== 'verify') return work.resume(self.sign(work.preimage), this.now)
    this.verified++
    work.resume(openssl.verify(work.key, work.preimage, work.signature), this.now)
  }
}
