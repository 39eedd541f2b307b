/** How a UDP socket is opened: what every system understands, and Node does. */

export interface ListenAddress {
  /** An IP address; `0.0.0.0` and `::` stand for all of their family. */
  readonly host: string
  /** 0 for any. */
  readonly port: number
}

/** Both families, one free port. */
export const LISTEN_EVERYWHERE: readonly ListenAddress[] = [
  { host: '0.0.0.0', port: 0 },
  { host: '::', port: 0 },
]

/** `batched`: many datagrams in one system call, on Linux with the optional package koffi. */
export type SocketKind = 'dgram' | 'batched'
/** `auto`: batched where that works. `batched` alone fails where it does not. */
export type SocketWish = SocketKind | 'auto'

export interface UdpOptions {
  /**
   * At most one of each family, since an answer must leave from where its request came in.
   * @default LISTEN_EVERYWHERE
   */
  readonly listen?: readonly ListenAddress[] | undefined
  /** Bytes that the kernel may hold for us. @default RECEIVE_BUFFER */
  readonly receiveBuffer?: number | undefined
  /** Told in a sentence for people what is not as it should be. */
  readonly onWarning?: ((sentence: string) => void) | undefined
  /**
   * Whether the receiver is done with a datagram when it returns: a batched socket hands it over
   * where the kernel wrote it, and not in memory of its own.
   * @default none
   */
  readonly borrows?: ((datagram: Uint8Array) => boolean) | undefined
  /**
   * Whether a batched socket has the kernel drop what is neither a message of the table nor a channel frame
   * nor STUN, before it takes room; what is one only at first sight comes in.
   * @default all comes in
   */
  readonly messagesOnly?: boolean | undefined
  /** Whether datagrams of IPv6 link-local addresses come in, each with its interface. @default they do not */
  readonly linkLocal?: boolean | undefined
  /**
   * Sockets that `openSharedSockets` opened for this process, which has them by these descriptors: it listens
   * on them, and not on `listen`. They are closed with the socket.
   */
  readonly descriptors?: readonly number[] | undefined
  /** Who makes the system calls. @default `SHOWCHAIN_UDP` of the environment, or `auto` */
  readonly kind?: SocketWish | undefined
}
