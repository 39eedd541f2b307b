/** One bound UDP socket of one family: node:dgram's, or one of our own system calls. */
import type { Endpoint } from '@showchain/wire'
import type { Route } from '../core/endpoint/machine.ts'
import type { Unsent } from './socket.ts'
import type { ListenAddress } from './udp-options.ts'

/** Who is told of what happens at a socket. */
export interface SocketReceiver {
  /** Whether it is done with a datagram at `batchEnded`. */
  readonly borrows?: ((datagram: Uint8Array) => boolean) | undefined
  /**
   * @param bytes memory of its own, if it does not borrow them
   * @param source with the interface of a link-local address (`socketOnLink`); undefined: it cannot be read
   */
  datagram(bytes: Uint8Array, source: Route | undefined): void
  /** The last one came of those that came together. */
  batchEnded(): void
  /** So many datagrams will never leave. */
  unsent(why: Unsent, count: number): void
  /** An error that was not about one datagram. */
  failed(): void
}

/** Bytes that the kernel holds: as `node:dgram` names them. */
export interface SocketBuffers {
  setRecvBufferSize(bytes: number): void
  setSendBufferSize(bytes: number): void
  getRecvBufferSize(): number
}

export interface BoundSocket {
  readonly local: Endpoint
  readonly buffers: SocketBuffers
  /** Sends or loses the datagram; never throws. Those to one `to` leave in order, others in any. */
  send(to: Route, bytes: Uint8Array): void
  /** @see DatagramSocket */
  flush?(): void
  /** @see DatagramSocket */
  unfragmented?(to: Route): number | undefined
  /** Has the kernel drop what is no message of ours, where it can. */
  messagesOnly?(): void
  /** Sets the one receiver. */
  receive(receiver: SocketReceiver): void
  /** Nothing is delivered after it. */
  close(): Promise<void>
}

/** Binds a socket of the address's family. @throws BindError */
export type Bind = (address: ListenAddress) => Promise<BoundSocket>

/** What the system said about one address, until it is known which error of ours it makes. */
export class BindError extends Error {
  readonly address: ListenAddress
  /** As of errno: `EADDRINUSE`. */
  readonly code: string | undefined

  constructor(address: ListenAddress, cause: NodeJS.ErrnoException) {
    super(cause.message, { cause })
    this.address = address
    this.code = cause.code
  }
}
