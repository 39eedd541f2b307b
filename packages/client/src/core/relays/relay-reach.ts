/**
 * By what a relay is reached (docs/protocol.md, Datagrams over WebSocket): asks it by each way, changes
 * the route when an answer is good, and comes back to UDP.
 *
 *   nowhere ──► UDP ◄── its answer to STUN, then to a 0x101 ── WebSocket ◄── UDP does not answer
 */
import type { Message, MessageOf, OP, Unsigned } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { Instant, SocketId } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import { StunTransactions } from '../nat/stun-transactions.ts'
import type { Transaction, Transactions } from '../requests/transaction.ts'
import { OtherFamily } from './other-family.ts'
import { RelayRequest, type Ways } from './relay-request.ts'
import { RelayReturn } from './relay-return.ts'
import { type RelayAddress, RelayRoute } from './relay-route.ts'
import { UdpReturn } from './udp-return.ts'

export interface RelayReachOptions {
  readonly relay: RelayAddress
  /** Whether a dial or a connection needs the relay. */
  needed(): boolean
  request(stamp: Stamp, cookie: Uint8Array | undefined): Unsigned<MessageOf<typeof OP.directRequest>>
  /** One that was lost is there again. */
  back(now: Instant): void
  /** A request left. */
  sent(now: Instant): unknown
  /** @see RelayRequestOptions */
  follows(): boolean
  /** An answer came, which is not verified yet. */
  answered(message: Message, by: Transaction, now: Instant): void
  /** This peer's address of the other IP family is known, or is another one. */
  found(): void
  /** No way has an answer. */
  failed(why: string, now: Instant): void
  /** The connection that it is reached by has ended. */
  disconnected(why: string, now: Instant): void
}

/** What a registration is told by the table that it is in. */
export type RegistrationOwner = Pick<RelayReachOptions, 'needed' | 'follows'>

export class RelayReach {
  readonly route: RelayRoute
  /** What the relay is asked by STUN. */
  readonly questions: StunTransactions
  readonly otherFamily: OtherFamily
  readonly #context: PeerContext
  readonly #transactions: Transactions
  readonly #options: RelayReachOptions
  readonly #udpReturn: UdpReturn
  readonly #return: RelayReturn
  #request: RelayRequest | undefined

  constructor(context: PeerContext, transactions: Transactions, options: RelayReachOptions) {
    const { relay } = options
    const questions = new StunTransactions(context)
    this.questions = questions
    this.otherFamily = new OtherFamily(context, questions, relay.other, () => options.found())
    this.#context = context
    this.#transactions = transactions
    this.#options = options
    this.route = new RelayRoute(relay.endpoint)
    this.#udpReturn = new UdpReturn(context, {
      ...{ relay: relay.endpoint, questions },
      needed: () => options.needed(),
      answered: (now) => this.#ask('udp', now),
    })
    this.#return = new RelayReturn(context, questions, relay.endpoint, (now) => options.back(now))
  }

  /** Whether the relay answered what it is asked now. */
  get challenged(): boolean {
    return this.#request?.challenged === true
  }

  /** 0x101, in place of one that has no answer so far. */
  ask(now: Instant): void {
    this.#ask('all', now)
    this.otherFamily.ask(now)
  }

  /** The answer is good. @returns whether it came by another way than the one before */
  reached(by: Transaction, now: Instant): boolean {
    const { socket } = by.options.to
    const changes = socket !== this.route.socket
    this.#return.stop()
    this.#request?.settle(by)
    this.#use(socket)
    if (socket !== undefined && this.#context.carriers.udp) this.#udpReturn.start(now)
    this.#context.carriers.bound(this, this.route.over)
    return changes
  }

  /** No answer is waited for any more. */
  giveUp(): void {
    this.#request?.close()
  }

  /** Nor is it asked whether it is back. */
  leave(): void {
    this.giveUp()
    this.#return.stop()
  }

  /** Nothing comes back from it: UDP comes first again. @param asks whether it is asked until it is back */
  lost(asks: boolean, now: Instant): void {
    this.#use(undefined)
    this.#context.carriers.bound(this, undefined)
    if (asks && this.#context.carriers.udp) this.#return.await(now)
  }

  close(): void {
    this.#request?.close()
    this.#return.stop()
    this.otherFamily.stop()
    this.#use(undefined)
    this.#context.carriers.bound(this, undefined)
    this.questions.close()
  }

  #ask(ways: Ways, now: Instant): void {
    const { relay, failed, ...options } = this.#options
    this.#request?.close()
    this.#request = new RelayRequest(this.#context, this.#transactions, {
      ...{ ...options, relay, route: this.route },
      // Back on UDP or not, the relay is reached.
      failed: (why, at) => ways === 'all' && failed(why, at),
    })
    this.#request.start(ways, now)
  }

  #use(socket: SocketId | undefined): void {
    if (socket === undefined) this.#udpReturn.stop()
    if (socket === this.route.socket) return
    this.#context.sockets.close(this.route.socket)
    this.route.socket = socket
  }
}
