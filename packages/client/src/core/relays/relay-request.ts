/**
 * One 0x101 to a relay, by each way there is (docs/protocol.md, Datagrams over WebSocket): over UDP, and
 * by WebSocket too when no answer came in time. The first answer binds; one over UDP counts later, too.
 *
 *   UDP ── 1.5 s without an answer ──► UDP and WebSocket ──► whichever answers; UDP whenever it does
 *
 * A system without UDP, such as a browser, begins with WebSocket.
 */
import type { Message, MessageOf, OP, Unsigned } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import { type Duration, duration, type Instant, later, type Route, type SocketId } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import type { Timer } from '../endpoint/timers.ts'
import type { Transaction, Transactions } from '../requests/transaction.ts'
import { explained } from './registration-words.ts'
import type { RelayAddress, RelayRoute } from './relay-route.ts'

/** Without an answer over UDP for so long, WebSocket is tried too. */
export const WEBSOCKET_AFTER: Duration = duration(1500)

export interface RelayRequestOptions {
  readonly relay: RelayAddress
  readonly route: RelayRoute
  request(stamp: Stamp, cookie: Uint8Array | undefined): Unsigned<MessageOf<typeof OP.directRequest>>
  sent(now: Instant): unknown
  /** Whether a challenge is followed now: no other address of this relay is about to register this peer. */
  follows(): boolean
  /** An answer, which is not verified yet. */
  answered(message: Message, by: Transaction, now: Instant): void
  /** No way has an answer. */
  failed(why: string, now: Instant): void
  /** The connection that the relay is reached by has ended. */
  disconnected(why: string, now: Instant): void
}

/** Which ways are tried: `udp` alone while a connection is bound, to come back from it. */
export type Ways = 'all' | 'udp'

export class RelayRequest {
  readonly #context: PeerContext
  readonly #transactions: Transactions
  readonly #options: RelayRequestOptions
  readonly #open = new Set<Transaction>()
  #udp: Transaction | undefined
  #timer: Timer | undefined
  /** A connection of this request's own, that is not bound. */
  #socket: SocketId | undefined
  /** Why each way failed, UDP first. */
  #failures: readonly string[] = []
  #settled = false

  constructor(context: PeerContext, transactions: Transactions, options: RelayRequestOptions) {
    this.#context = context
    this.#transactions = transactions
    this.#options = options
  }

  /** Whether the relay answered so far. */
  get challenged(): boolean {
    return [...this.#open].some(({ challenged }) => challenged)
  }

  start(ways: Ways, now: Instant): void {
    const { relay, route } = this.#options
    const { ip, port } = relay.endpoint
    const { socket } = route
    const { carriers, seedMode } = this.#context
    const tries = relay.websocket !== undefined && carriers.websocket && !seedMode
    if (ways === 'all' && socket !== undefined) this.#ask({ ip, port, socket })
    else if (ways === 'all' && tries && carriers.udp)
      this.#timer = this.#context.timers.set(later(now, WEBSOCKET_AFTER), () => this.#connect())
    else if (ways === 'all' && tries) this.#connect()
    if (carriers.udp) this.#udp = this.#ask({ ip, port })
    else if (this.#open.size === 0) this.#fail(['this system has no UDP'], now)
  }

  /** This way's answer is good: others are not needed, but UDP is better than any. */
  settle(by: Transaction): void {
    this.#settled = true
    this.#timer?.cancel()
    by.close()
    for (const each of this.#open) if (each !== this.#udp) each.close()
    if (by !== this.#udp) {
      // Bound now; it ends with the binding.
      this.#socket = undefined
      return
    }
    this.#closeSocket()
  }

  close(): void {
    this.#settled = true
    this.#timer?.cancel()
    for (const each of this.#open) each.close()
    this.#open.clear()
    this.#closeSocket()
  }

  #ask(to: Route): Transaction {
    const { request, sent, answered, follows } = this.#options
    const transaction: Transaction = this.#transactions.start({
      ...{ to, request, sent, follows },
      answered: (message, now) => answered(message, transaction, now),
      failed: (why, now) => {
        this.#open.delete(transaction)
        if (to.socket === undefined) this.#fail([explained(why), ...this.#failures], now)
        else this.#fail([...this.#failures, `by WebSocket: ${why}`], now)
      },
    })
    this.#open.add(transaction)
    return transaction
  }

  #connect(): void {
    this.#timer = undefined
    const { endpoint, websocket } = this.#options.relay
    // One that challenges is reached over UDP.
    if (websocket === undefined || this.#udp?.challenged === true) return
    const socket = this.#context.sockets.open((id, why, now) => this.#disconnected(id, why, now), {
      url: websocket,
      endpoint,
    })
    this.#socket = socket
    this.#ask({ ...endpoint, socket })
  }

  #disconnected(socket: SocketId, why: string, now: Instant): void {
    if (this.#options.route.socket === socket) return this.#options.disconnected(why, now)
    if (this.#socket !== socket) return
    this.#socket = undefined
    for (const each of [...this.#open])
      if (each.options.to.socket === socket) {
        each.close()
        this.#open.delete(each)
      }
    this.#fail([...this.#failures, `by WebSocket: ${why}`], now)
  }

  #fail(failures: readonly string[], now: Instant): void {
    this.#failures = failures
    if (this.#settled || this.#open.size > 0 || this.#timer !== undefined) return
    this.#settled = true
    this.#closeSocket()
    this.#options.failed(this.#failures.join('; '), now)
  }

  #closeSocket(): void {
    this.#context.sockets.close(this.#socket)
    this.#socket = undefined
  }
}
