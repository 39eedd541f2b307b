/**
 * What a socket of its own tells of the network, with STUN Binding requests: whether each server
 * answers and how fast, whether datagrams of the protocol's size reach it, and whether the NAT in
 * front hairpins (RFC 4787 §6): then a request to the mapped address comes back to its sender.
 */
import type { Random } from '@showchain/crypto/core'
import {
  decodeStun,
  type Endpoint,
  encodeStun,
  MAX_DATAGRAM,
  STUN_HEADER_BYTES,
  type StunMessage,
  toBase64url,
} from '@showchain/wire'
import {
  type Datagram,
  type Duration,
  duration,
  type Instant,
  later,
  type Machine,
  type Output,
} from '../endpoint/machine.ts'
import { Outbox } from '../endpoint/outbox.ts'
import { type Timer, Timers } from '../endpoint/timers.ts'
import { StunTransactions } from './stun-transactions.ts'

/** Requests to each server, one after the other: of three the fastest is near what the path takes. */
const ROUND_TRIPS = 3
/**
 * Between transmissions. An answer that comes later than this is an answer to nobody knows which, and
 * its round trip is unknown (RFC 6298 §3).
 */
const AGAIN: Duration = duration(1000)
const PROBE_SCHEDULE: readonly Duration[] = [AGAIN, AGAIN, AGAIN]
/** What is left of the largest datagram of the protocol for the value of PADDING (RFC 5780 §7.6). */
const PADDING_BYTES = MAX_DATAGRAM - STUN_HEADER_BYTES - 4
/** A packet that comes back by the own router does so in milliseconds: twice for a lost one. */
const HAIRPIN_SCHEDULE: readonly Duration[] = [300, 300, 300].map(duration)
const TRANSACTION_ID_BYTES = 12

/** What became of the requests to one server. */
export interface ServerProbe {
  readonly server: Endpoint
  readonly answers: boolean
  /** Milliseconds, the shortest; undefined: it does not answer, or never at once. */
  readonly rtt: number | undefined
  /** Of the socket, as the server sees it. */
  readonly mapped: Endpoint | undefined
  /** Whether a datagram of 1,200 bytes reaches it; undefined: it does not answer. */
  readonly large: boolean | undefined
  /** Milliseconds that its clock is ahead of this host's; undefined: it does not say. */
  readonly clockOffset: number | undefined
}

/** What asks for a round trip, or whether a datagram of full size arrives. */
type Question = Pick<StunMessage, 'padding' | 'clock'>

export type LinkEvent =
  | { readonly type: 'server'; readonly probe: ServerProbe }
  | { readonly type: 'hairpin'; readonly works: boolean }

export class LinkProbe implements Machine<LinkEvent> {
  readonly #random: Pick<Random, 'bytes'>
  readonly #unixMs: () => number
  readonly #outbox = new Outbox<LinkEvent>()
  readonly #timers = new Timers()
  readonly #transactions: StunTransactions
  /** The request to the own mapped address, until it is back. */
  #hairpin: { readonly id: string; timer: Timer | undefined } | undefined

  constructor(random: Random, unixMs: () => number) {
    this.#random = random
    this.#unixMs = unixMs
    this.#transactions = new StunTransactions({ random, timers: this.#timers, outbox: this.#outbox })
  }

  get deadline(): Instant | undefined {
    return this.#timers.deadline
  }

  poll(): Output<LinkEvent> | undefined {
    return this.#outbox.poll()
  }

  wake(now: Instant): void {
    this.#timers.wake(now)
  }

  receive({ bytes, source }: Datagram, now: Instant): void {
    if (this.#transactions.receive(bytes, source, now)) return
    const message = this.#hairpin && decodeStun(bytes)
    if (message?.type === 'bindingRequest' && toBase64url(message.transactionId) === this.#hairpin?.id)
      this.#hairpinned(true)
  }

  /** Asks a server. One event follows. */
  ask(server: Endpoint, now: Instant): void {
    const unknown = { rtt: undefined, mapped: undefined, large: undefined, clockOffset: undefined }
    this.#ask({ server, answers: false, ...unknown }, ROUND_TRIPS, now)
  }

  /** @param mapped this socket's. One event follows. */
  askHairpin(mapped: Endpoint, now: Instant): void {
    const transactionId = this.#random.bytes(TRANSACTION_ID_BYTES)
    this.#hairpin = { id: toBase64url(transactionId), timer: undefined }
    this.#sendHairpin(mapped, encodeStun({ type: 'bindingRequest', transactionId }), 0, now)
  }

  #ask(probe: ServerProbe, left: number, now: Instant): void {
    if (left === 0) return this.#askLarge(probe, now)
    this.#request(probe.server, { clock: 0 }, now, (answer, at) => {
      if (answer?.mapped === undefined) return this.#done(probe)
      const { mapped, clock } = answer
      const took = at - now
      const rtt = took > AGAIN ? probe.rtt : Math.min(took, probe.rtt ?? took)
      // Said about half of the round trip ago.
      const clockOffset = clock === undefined ? undefined : clock + took / 2 - this.#unixMs()
      this.#ask({ ...probe, answers: true, rtt, mapped, clockOffset }, left - 1, at)
    })
  }

  /** A server that knows no PADDING says so in an error (RFC 8489 §6.3.1): it got the datagram. */
  #askLarge(probe: ServerProbe, now: Instant): void {
    this.#request(probe.server, { padding: PADDING_BYTES }, now, (answer) =>
      this.#done({ ...probe, large: answer !== undefined }),
    )
  }

  #request(
    to: Endpoint,
    question: Question,
    now: Instant,
    done: (answer: StunMessage | undefined, at: Instant) => void,
  ): void {
    this.#transactions.start({ to, ...question, schedule: PROBE_SCHEDULE, done }, now)
  }

  #done(probe: ServerProbe): void {
    this.#outbox.event({ type: 'server', probe })
  }

  #sendHairpin(mapped: Endpoint, bytes: Uint8Array, sent: number, now: Instant): void {
    const wait = HAIRPIN_SCHEDULE[sent]
    if (wait === undefined) return this.#hairpinned(false)
    this.#outbox.transmit(mapped, bytes)
    const timer = this.#timers.set(later(now, wait), (at) => this.#sendHairpin(mapped, bytes, sent + 1, at))
    if (this.#hairpin !== undefined) this.#hairpin.timer = timer
  }

  #hairpinned(works: boolean): void {
    this.#hairpin?.timer?.cancel()
    this.#hairpin = undefined
    this.#outbox.event({ type: 'hairpin', works })
  }
}
