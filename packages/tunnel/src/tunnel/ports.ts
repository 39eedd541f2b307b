/** What a tunnel needs of its surroundings: sockets of this host, and the clock of the peer. */
import type { Connection, Runtime, Stream } from '@showchain/client'

/** What a tunnel uses of a stream. */
export type ByteStream = Pick<Stream, 'read' | 'write' | 'end' | 'abort' | 'cancel'>
/** What a tunnel takes from the system: that of its peer. */
export type TunnelRuntime = Pick<Runtime, 'clock' | 'random'>

/** One connection to or from a program of this host. */
export interface LocalSocket {
  /** The next bytes; undefined at their end (FIN). Rejects when the connection was reset. */
  read(): Promise<Uint8Array | undefined>
  /** Resolves when it takes more. Rejects when the connection was reset. */
  write(bytes: Uint8Array): Promise<void>
  /** No more bytes come from this end (FIN). */
  end(): Promise<void>
  /** Ends both directions at once: RST, where there is such a thing. Nothing when it has ended. */
  reset(): void
}

/** The socket of a flow at the end that serves. */
export interface FlowSocket {
  /** Sends a datagram to the target. */
  send(payload: Uint8Array): void
  /** Sends and hears nothing from now on. */
  close(): void
}

/** What is served: connections. */
export interface ByteTarget {
  readonly kind: 'bytes'
  /** Rejects with an error that has the `code` of the system. A connection that comes late is closed. */
  connect(signal: AbortSignal): Promise<LocalSocket>
}

/** What is served: datagrams. */
export interface DatagramTarget {
  readonly kind: 'datagrams'
  /** Failures of the socket are silent, as UDP is: what they concern is lost. */
  open(came: (payload: Uint8Array) => void): FlowSocket
}

/** What a TunnelServer serves: see `targetAt`. */
export type Target = ByteTarget | DatagramTarget

interface Listening {
  /** As a person writes it: `tcp://127.0.0.1:8080`. */
  readonly local: string
  /** Listens no more. */
  close(): Promise<void>
}

/** Where an end that forwards takes connections. */
export interface ByteSource extends Listening {
  readonly kind: 'bytes'
  /** Takes connections from now on. */
  start(taken: (socket: LocalSocket) => void): void
}

/** Where an end that forwards takes datagrams. */
export interface DatagramSource extends Listening {
  readonly kind: 'datagrams'
  /** Takes datagrams from now on. */
  start(came: (payload: Uint8Array, from: string) => void): void
  /** Sends a datagram to a program. @param to where another one came from */
  send(payload: Uint8Array, to: string): void
}

/** Where a Forwarder listens: see `listenAt`. */
export type Source = ByteSource | DatagramSource

/** Connects to the remote peer that serves. */
export type Dial = (signal: AbortSignal) => Promise<Connection>

/** What a tunnel has carried and what it has not, since it was opened. */
export interface TunnelCounters {
  /** Bytes to the remote peer. */
  sent: number
  /** Bytes from the remote peer. */
  received: number
  /** Connections that were carried. */
  opened: number
  /** Connections that were not, or were reset. */
  failed: number
  /** Datagrams that the path does not take. */
  tooLarge: number
  /** Datagrams that were dropped for other reasons: a queue was full, a flow is not there any more. */
  dropped: number
}

export const noCounts = (): TunnelCounters => ({
  ...{ sent: 0, received: 0, opened: 0, failed: 0, tooLarge: 0, dropped: 0 },
})
