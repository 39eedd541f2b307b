/**
 * The contract of every protocol machine: feed it an input with the time, drain its outputs, come
 * back at its deadline. A machine never waits, never reads a clock and never touches a socket; a
 * driver on Node and the simulator on virtual time run the same code.
 */
import type { PublicKey } from '@showchain/crypto/core'
import type { Endpoint } from '@showchain/wire'
import type { Allowance } from './allowance.ts'

declare const timeOf: unique symbol
/** Milliseconds on a clock that only goes forward; its origin has no meaning. */
export type Instant = number & { readonly [timeOf]: 'instant' }
/** Milliseconds between two instants. */
export type Duration = number & { readonly [timeOf]: 'duration' }

/** A time in milliseconds as an instant. */
export const instant = (ms: number): Instant => ms as Instant
/** A number of milliseconds as a duration. */
export const duration = (ms: number): Duration => ms as Duration
export const later = (from: Instant, by: Duration): Instant => (from + by) as Instant

/** One of the sockets that a machine's driver has: 0 is the one it was made with, also on one interface alone (< 0). */
export type SocketId = number

/**
 * A remote address and the local socket that reaches it: datagrams arrive at that socket, and
 * answers leave from it.
 */
export interface Route extends Endpoint {
  /** @default 0 */
  readonly socket?: SocketId | undefined
  /** Of an address that is not validated: what may be sent there. @default anything */
  readonly allowance?: Allowance | undefined
}

/**
 * One UDP datagram as it came in. `bytes` are the machine's: it may keep views into them, and writes
 * over a record what is in it. Those that its owner lets the socket lend (`UdpOptions.borrows`) it
 * may only read until it is drained.
 */
export interface Datagram {
  readonly bytes: Uint8Array
  readonly source: Route
}

export interface Transmit {
  readonly type: 'transmit'
  readonly to: Route
  readonly bytes: Uint8Array
}

/** Where a WebSocket connection goes to, and the endpoint that its datagrams come from. */
export interface WebSocketTarget {
  readonly url: string
  readonly endpoint: Endpoint
}

/**
 * Another socket, on any free port, or a connection to one place; closing one that is not open does
 * nothing.
 */
export interface SocketChange {
  readonly type: 'socket'
  readonly change: 'open' | 'close'
  readonly socket: SocketId
  /** Of a connection. @default UDP */
  readonly to?: WebSocketTarget | undefined
}

/**
 * An RSA operation that may run off the event loop. The result comes back as an input, by `resume`.
 */
export type Work =
  | {
      readonly type: 'work'
      /**
       * `sign`: RSASSA-PKCS1-v1_5 of a message's preimage. `certify`: RSASSA-PSS of a
       * certificate's.
       */
      readonly kind: 'sign' | 'certify'
      readonly preimage: Uint8Array
      /** Whether a driver that is closed waits for it: what it signs are the last words of a connection. */
      readonly last?: boolean | undefined
      /** @param signature undefined when the queue was full or signing failed. */
      resume(signature: Uint8Array | undefined, now: Instant): void
    }
  | {
      readonly type: 'work'
      readonly kind: 'verify'
      readonly key: PublicKey
      readonly preimage: Uint8Array
      readonly signature: Uint8Array
      /** @param valid undefined when the queue was full. */
      resume(valid: boolean | undefined, now: Instant): void
    }

/**
 * Nobody waits for what follows: a driver may first send, and hand events over. It goes on before the
 * next input at the latest.
 */
export interface Pause {
  readonly type: 'pause'
}

export type Output<Event> = Transmit | SocketChange | Work | Pause | { readonly type: 'event'; readonly event: Event }

export interface Machine<Event> {
  receive(datagram: Datagram, now: Instant): void
  /** The deadline has come; earlier calls do nothing. */
  wake(now: Instant): void
  /** A socket that it asked for could not be opened. */
  socketFailed?(socket: SocketId, why: string, now: Instant): void
  /** The next output, or undefined when there is none until the next input. */
  poll(): Output<Event> | undefined
  /** When `wake` wants to be called; undefined: not before another input. */
  readonly deadline: Instant | undefined
}
