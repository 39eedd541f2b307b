/** A UDP socket as a port: Node's own, the simulator's, or either with injected faults. */
import type { Endpoint } from '@showchain/wire'
import type { Datagram, Route } from '../core/endpoint/machine.ts'

export interface DatagramSocket {
  /** Sends or loses the datagram; never throws. What cannot be sent is counted by the binding. */
  send(to: Route, bytes: Uint8Array): void
  /** What was sent leaves now, and waits for nothing else of this turn. @default nothing waits */
  flush?(): void
  /**
   * Sets the one receiver; what comes in before there is one is lost.
   * @param receive is handed together what came together: all datagrams of one system call. In order,
   *   at least one; those of a train from one source may be neighbours in one buffer. The bytes of
   *   records (`carriesRecord`) may be written over
   */
  onDatagrams(receive: (batch: readonly Datagram[]) => void): void
  /**
   * Bytes of the largest datagram that the link to this destination takes, where the socket sends
   * none in fragments; undefined: it may. @default it may
   */
  unfragmented?(to: Route): number | undefined
  /** What the socket is bound to, with the ports it got; wildcard addresses as they are. */
  readonly localEndpoints: readonly Endpoint[]
  /** Nothing is sent or delivered after it. Closing twice is closing once. */
  close(): Promise<void>
}

/** Connections over TCP that carry datagrams, each with a number of its own from FIRST_CONNECTION on. */
export interface ConnectionSocket {
  /** Sends on the connection of the route, or loses the datagram; never throws. */
  send(to: Route, bytes: Uint8Array): void
  /** As of a DatagramSocket; each source has the number of its connection. */
  onDatagrams(receive: (batch: readonly Datagram[]) => void): void
  close(): Promise<void>
}

/** What a binding counts that it does not throw. */
export interface SocketCounters {
  /**
   * Datagrams that the kernel did not take: no route, no permission. A lower bound, as the next two
   * are: not every send is asked about.
   */
  sendFailed: number
  /**
   * Datagrams that are longer than their link takes: path MTU discovery tries that, and it says
   * nothing about the network.
   */
  sendTooLarge: number
  /** Datagrams for which there was no room while the kernel sent others. */
  sendBufferFull: number
  /** Datagrams to an address family without a socket. */
  noSocket: number
  /** Datagrams from an IPv6 link-local address, where the receiver takes none. */
  linkLocalSource: number
  /** Errors of a socket that were not about one datagram. */
  socketErrors: number
}

/** Why a datagram did not leave. */
export type Unsent = 'sendFailed' | 'sendTooLarge' | 'sendBufferFull'

/** Who makes the system calls of a socket. */
export interface SocketImplementation {
  /**
   * - `batched`: many datagrams in one call, on Linux with the optional package koffi
   * - `dgram`: node:dgram
   * - `simulated`: nobody
   * - `none`: nobody, as the system has no UDP
   */
  readonly kind: 'batched' | 'dgram' | 'simulated' | 'none'
  /** Why it is this one: half a sentence for people. */
  readonly reason: string
}

export interface CountedSocket extends DatagramSocket {
  readonly counters: SocketCounters
  readonly implementation: SocketImplementation
}
