/**
 * The contract of every protocol machine: feed it an input with the time, drain its outputs, come
 * back at its deadline. A machine never waits, never reads a clock and never touches a socket; a
 * driver on Node and the simulator on virtual time run the same code.
 */
import type { PublicKey } from '@showchain/crypto/core'
import type { Endpoint } from '@showchain/wire'

declare const timeOf: unique symbol
/** Milliseconds on a clock that only goes forward; where it starts means nothing. */
export type Instant = number & { readonly [timeOf]: 'instant' }
/** Milliseconds between two instants. */
export type Duration = number & { readonly [timeOf]: 'duration' }

export const instant = (ms: number): Instant => ms as Instant
export const duration = (ms: number): Duration => ms as Duration
export const later = (from: Instant, by: Duration): Instant => (from + by) as Instant

/** One of the sockets that a machine's driver has: 0 is the one it was made with. */
export type SocketId = number

/** An address as one of our own sockets reaches it: what comes from there came in at that socket, and answers leave from it. */
export interface Route extends Endpoint {
  /** @default 0 */
  readonly socket?: SocketId | undefined
}

/** One UDP datagram as it came in. The machine may keep views into `bytes`: nobody writes to them again. */
export interface Datagram {
  readonly bytes: Uint8Array
  readonly source: Route
}

export interface Transmit {
  readonly type: 'transmit'
  readonly to: Route
  readonly bytes: Uint8Array
}

/** Another socket, on any free port; closing one that is not open does nothing. */
export interface SocketChange {
  readonly type: 'socket'
  readonly change: 'open' | 'close'
  readonly socket: SocketId
}

/** RSA that may leave the loop. The result comes back as an input, by `resume`. */
export type Work =
  | {
      readonly type: 'work'
      /** `certify`: RSASSA-PSS; of what is no message. */
      readonly kind: 'sign' | 'certify'
      readonly preimage: Uint8Array
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

export type Output<Event> = Transmit | SocketChange | Work | { readonly type: 'event'; readonly event: Event }

export interface Machine<Event> {
  receive(datagram: Datagram, now: Instant): void
  /** The deadline has come; earlier calls do nothing. */
  wake(now: Instant): void
  /** The next output, or undefined when there is none until the next input. */
  poll(): Output<Event> | undefined
  /** When `wake` wants to be called; undefined: not before another input. */
  readonly deadline: Instant | undefined
}
