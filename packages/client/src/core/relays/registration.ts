/**
 * The registration with one relay (the seed's section 2, addressed to a relay): 0x101 with this
 * peer's key, kept alive, and renewed when the relay has forgotten it, the address changed, or
 * nothing comes back.
 *
 *   registering ──► registered ──► registering …        (unbound, dead keep-alive)
 *        └──► waiting (jittered back-off) ──► registering
 */
import {
  CAPS,
  type Encoding,
  type Endpoint,
  type Extensions,
  type Message,
  OP,
  type PeerId,
  sameEndpoint,
  WIRE_ERROR,
} from '@showchain/wire'
import { type PeerContext, signerKey } from '../context/peer-context.ts'
import { EventQueue } from '../endpoint/event-queue.ts'
import { type Duration, duration, type Instant, later } from '../endpoint/machine.ts'
import type { Timer } from '../endpoint/timers.ts'
import { Waiters } from '../endpoint/waiters.ts'
import type { PathLiveness } from '../messages/message-session.ts'
import type { Transaction, Transactions } from '../requests/transaction.ts'
import { KeepAlive } from './keep-alive.ts'

/** The least time between two registrations that `unbound` errors cause. */
export const REREGISTER_GAP: Duration = duration(5000)
/**
 * Back-off between failed registrations: doubles from the first to the last, ±50 %, so that a relay
 * that comes back is not flooded.
 */
export const REGISTER_BACKOFF_FIRST: Duration = duration(1000)
export const REGISTER_BACKOFF_LAST: Duration = duration(60_000)
/**
 * Bindings lost without a change of address, within this time, that mean the same id at two hosts.
 */
export const DUPLICATE_LOSSES = 3
export const DUPLICATE_WINDOW: Duration = duration(120_000)

export interface RelayAddress {
  readonly id: PeerId
  readonly endpoint: Endpoint
}

export type RegistrationEvent =
  /** The relay does not answer any more, or has forgotten this peer. */
  | 'lost'
  /** It answered: for the first time, after it was lost, or with another address. */
  | 'registered'
  /** This peer has another address than before. */
  | 'moved'

export class Registration implements PathLiveness {
  readonly relay: RelayAddress
  /**
   * This peer's address as the relay sees it; undefined until registered or when the relay does not
   * say.
   */
  observed: Endpoint | undefined
  /** Whether the relay showed that it knows extensions. */
  knowsExtensions = false
  /** Whether it forwards channel frames. */
  carriesFrames = false
  readonly #context: PeerContext
  readonly #transactions: Transactions
  readonly #events = new EventQueue<RegistrationEvent>()
  #state: 'idle' | 'registering' | 'registered' | 'waiting' | 'closed' = 'idle'
  #transaction: Transaction | undefined
  #keepAlive: KeepAlive | undefined
  #timer: Timer | undefined
  #failures = 0
  /** The relay gave the binding to another address since the last registration. */
  #usurped = false
  /**
   * When that happened without a change of this peer's address; at most DUPLICATE_LOSSES, within
   * DUPLICATE_WINDOW.
   */
  #losses: readonly Instant[] = []
  #lastStart: Instant | undefined
  /** Dials that wait for this relay: bounded by the dials that are open. */
  readonly #waiters = new Waiters<[ready: boolean, why: string | undefined, now: Instant]>()

  constructor(context: PeerContext, transactions: Transactions, relay: RelayAddress) {
    this.#context = context
    this.#transactions = transactions
    this.relay = relay
  }

  poll(): RegistrationEvent | undefined {
    return this.#events.poll()
  }

  get registered(): boolean {
    return this.#state === 'registered'
  }

  /** Calls back once: at once when registered, else when this or the next try ends. */
  whenReady(waiter: (ready: boolean, why: string | undefined, now: Instant) => void, now: Instant): void {
    if (this.registered) waiter(true, undefined, now)
    else this.#waiters.add(waiter)
  }

  start(now: Instant): void {
    this.#timer?.cancel()
    this.#state = 'registering'
    this.#lastStart = now
    this.#transaction?.close()
    this.#transaction = this.#transactions.start({
      to: this.relay.endpoint,
      request: (stamp, cookie) => ({
        op_code: OP.directRequest,
        id: this.#context.self,
        target: this.relay.id,
        ...stamp,
        ...this.#extensions(cookie),
      }),
      answered: (message) => this.#answered(message),
      failed: (why, at) => this.#failed(why, at),
    })
  }

  /** Anything came from the relay. */
  heard(now: Instant): void {
    this.#keepAlive?.heard(now)
  }

  /** Whether anything came from the relay since then. */
  heardSince(at: Instant): boolean {
    return this.#keepAlive !== undefined && this.#keepAlive.lastHeard >= at
  }

  /** Something that went through the relay was not answered. */
  suspect(now: Instant): void {
    this.#keepAlive?.suspect(now)
  }

  /** Something was sent to the relay beside keep-alives. */
  sent(now: Instant): void {
    this.#keepAlive?.sent(now)
  }

  /** The relay answered a keep-alive, or keeps alive itself. */
  keptAlive(encoding: Encoding, now: Instant): void {
    this.#keepAlive?.echo(encoding, now)
  }

  /**
   * The relay says that it does not know this peer at its address: register again, not too often.
   */
  error(code: number, now: Instant): void {
    if (code !== WIRE_ERROR.unbound || this.#state !== 'registered') return
    this.#usurped = true
    this.#lose('the relay no longer knows this address')
    const earliest = later(this.#lastStart ?? now, REREGISTER_GAP)
    if (earliest <= now) this.start(now)
    else this.#wait(earliest)
  }

  /** The path to the relay is dead. */
  #dead(now: Instant): void {
    this.#lose('keep-alives are not answered')
    this.start(now)
  }

  close(now: Instant): void {
    this.#state = 'closed'
    this.#transaction?.close()
    this.#keepAlive?.stop()
    this.#timer?.cancel()
    this.#waiters.settle(false, 'closed', now)
  }

  /**
   * First contact carries only key and cookie. A relay that is known by configuration and did not
   * answer may speak only the seed: every other try is in seed mode.
   */
  #extensions(cookie: Uint8Array | undefined): { ext?: Extensions } {
    const plain =
      this.#context.seedMode ||
      (cookie === undefined && this.#failures % 2 === 1 && this.#context.keys.get(this.relay.id) !== undefined)
    if (plain) return {}
    return { ext: { key: this.#context.spki, ...(cookie === undefined ? {} : { cookie }) } }
  }

  #answered(message: Message): void {
    if (message.op_code !== OP.directResponse || message.id !== this.relay.id) return
    const key = signerKey(this.#context, this.relay.id, message)
    if (key === undefined) {
      this.#context.count('unknownKey')
      return
    }
    this.#transaction?.verify(key, message, (at) => this.#succeed(message.ext, at))
  }

  #succeed(ext: Extensions | undefined, now: Instant): void {
    this.#transaction?.close()
    const known = this.observed
    const moved = ext?.observed !== undefined && (known === undefined || !sameEndpoint(ext.observed, known))
    this.observed = ext?.observed ?? this.observed
    this.knowsExtensions = ext !== undefined
    this.carriesFrames = ((ext?.caps ?? 0) & CAPS.channel) !== 0
    this.#failures = 0
    if (this.#usurped && !moved) this.#countLoss(now)
    this.#usurped = false
    this.#keepAlive?.stop()
    this.#keepAlive = new KeepAlive(this.#context, this.relay.endpoint, now, (at) => this.#dead(at))
    const first = this.#state !== 'registered'
    this.#state = 'registered'
    if (first || moved) {
      this.#events.push('registered')
      this.#context.outbox.event({
        type: 'relay',
        relay: this.relay.id,
        at: this.relay.endpoint,
        state: 'registered',
        observed: this.observed,
      })
    }
    if (moved && known !== undefined) this.#events.push('moved')
    this.#waiters.settle(true, undefined, now)
  }

  /**
   * A relay that restarted forgets each peer once. A peer that is forgotten repeatedly shares its
   * identity with another host.
   */
  #countLoss(now: Instant): void {
    this.#losses = [...this.#losses.filter((at) => later(at, DUPLICATE_WINDOW) > now), now]
    if (this.#losses.length < DUPLICATE_LOSSES) return
    this.#losses = []
    this.#context.outbox.event({ type: 'duplicate', relay: this.relay.id, at: this.relay.endpoint })
  }

  #failed(why: string, now: Instant): void {
    this.#context.outbox.event({
      type: 'relay',
      relay: this.relay.id,
      at: this.relay.endpoint,
      state: 'failed',
      reason: why,
    })
    const backoff = Math.min(REGISTER_BACKOFF_FIRST * 2 ** this.#failures, REGISTER_BACKOFF_LAST)
    this.#failures++
    this.#wait(later(now, duration(backoff * (0.5 + this.#context.random.uniform()))))
    this.#waiters.settle(false, why, now)
  }

  #wait(until: Instant): void {
    this.#state = 'waiting'
    this.#timer = this.#context.timers.set(until, (now) => this.start(now))
  }

  #lose(reason: string): void {
    this.#keepAlive?.stop()
    this.#keepAlive = undefined
    this.#state = 'waiting'
    this.#context.outbox.event({ type: 'relay', relay: this.relay.id, at: this.relay.endpoint, state: 'lost', reason })
    this.#events.push('lost')
  }
}
