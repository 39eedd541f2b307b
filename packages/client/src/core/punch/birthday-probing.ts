/**
 * Birthday probing (**ext**; docs/protocol.md, Choosing a path), between a NAT with address- and
 * port-dependent mapping and one with port-dependent filtering. The mapped port is unpredictable,
 * so one side opens many mappings and the other tries many ports, until one matches (the birthday
 * paradox).
 *
 *   many sockets: 256 × 0x100, each from a socket of its own, to the other's ip:port
 *   many ports:   0x100 after 0x100 from one socket to random ports of the other's address
 */
import type { Endpoint, Nat } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import { type Duration, duration, type Instant, later, type Route, type SocketId } from '../endpoint/machine.ts'
import { sendKeepAlive } from '../endpoint/signed-messages.ts'
import type { Timer } from '../endpoint/timers.ts'

/** Birthday probing starts after the first ordinary probes. */
export const BIRTHDAY_DELAY: Duration = duration(2000)
/**
 * Sockets that the symmetric side opens: with 2048 probes at 64,512 ports, one is hit in 99.97 % of
 * all cases (1 − (1 − 256/64,512)^2048).
 */
export const BIRTHDAY_SOCKETS = 256
export const BIRTHDAY_PROBES = 2048
/**
 * Between two packets of the side that tries ports: 100 a second, so that no router takes it for a
 * flood.
 */
export const BIRTHDAY_INTERVAL: Duration = duration(10)
/**
 * Between two sockets of the other side: all are open within about a second, long before the first
 * mapping expires.
 */
export const BIRTHDAY_SOCKET_INTERVAL: Duration = duration(4)

/** The part of this peer. */
export type BirthdayRole = 'many sockets' | 'many ports'

const dependent = ({ mapping }: Nat): boolean => mapping === 2 || mapping === 3
/** Endpoint-independent mapping with port-dependent filtering; unknown filtering counts as that. */
const restricted = ({ mapping, filtering }: Nat): boolean => mapping === 1 && (filtering === 3 || filtering === 0)

/**
 * The part of this peer; undefined where ordinary punching works, nothing works, or too little is
 * known.
 */
export function birthdayRole(ours: Nat | undefined, theirs: Nat | undefined): BirthdayRole | undefined {
  if (ours === undefined || theirs === undefined) return undefined
  if (dependent(ours) && restricted(theirs)) return 'many sockets'
  return restricted(ours) && dependent(theirs) ? 'many ports' : undefined
}

/** Ports that a NAT allocates (RFC 4787 §4.2.2: not the well-known ones). */
const FIRST_PORT = 1024
const PORTS = 65_536 - FIRST_PORT

export class Birthday {
  readonly #context: PeerContext
  readonly #remote: Endpoint
  readonly #role: BirthdayRole
  readonly #note: (what: string) => void
  /** At most BIRTHDAY_SOCKETS. */
  readonly #sockets: SocketId[] = []
  #timer: Timer | undefined
  #sent = 0
  /** The system had no more sockets. */
  #short = false
  /** Ports are visited in steps coprime to their count, so none comes twice. */
  #port: number
  readonly #step: number

  /**
   * @param remote the remote peer's address as the relay announced it.
   * @param note a line for the timeline
   */
  constructor(context: PeerContext, role: BirthdayRole, remote: Endpoint, note: (what: string) => void, now: Instant) {
    this.#context = context
    this.#role = role
    this.#note = note
    this.#remote = remote
    this.#port = Math.floor(context.random.uniform() * PORTS)
    this.#step = coprime(Math.floor(context.random.uniform() * PORTS))
    this.#next(now)
  }

  /** Stops sending. */
  stop(): void {
    this.#timer?.cancel()
  }

  /** Closes every socket that is not wanted any more. */
  close(wanted: (socket: SocketId) => boolean): void {
    for (const socket of this.#sockets) if (!wanted(socket)) this.#context.sockets.close(socket)
  }

  /** No more are opened: the application needs descriptors too. What is open goes on. */
  #failed(socket: SocketId, why: string): void {
    this.#sockets.splice(this.#sockets.indexOf(socket), 1)
    if (this.#short) return
    this.#short = true
    this.stop()
    this.#note(`birthday probing goes on with ${this.#sockets.length} of ${BIRTHDAY_SOCKETS} sockets: ${why}`)
  }

  #next(now: Instant): void {
    const [most, interval] =
      this.#role === 'many sockets'
        ? [BIRTHDAY_SOCKETS, BIRTHDAY_SOCKET_INTERVAL]
        : [BIRTHDAY_PROBES, BIRTHDAY_INTERVAL]
    const { self, encoding } = this.#context
    sendKeepAlive(this.#context, self, this.#target(), encoding)
    this.#sent++
    if (this.#sent < most) this.#timer = this.#context.timers.set(later(now, interval), (at) => this.#next(at))
  }

  #target(): Route {
    if (this.#role === 'many sockets') {
      const socket = this.#context.sockets.open((failed, why) => this.#failed(failed, why))
      this.#sockets.push(socket)
      return { ...this.#remote, socket }
    }
    this.#port = (this.#port + this.#step) % PORTS
    return { ip: this.#remote.ip, port: FIRST_PORT + this.#port }
  }
}

const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b))

/** The next number that shares no divisor with the count of ports. */
function coprime(from: number): number {
  let step = from
  while (divisor(PORTS, step) !== 1) step++
  return step
}
