/**
 * The system calls of a batched socket, through the optional package koffi: Linux on 64-bit
 * little-endian machines, glibc or musl. Numbers are of the kernel's generic headers.
 */
import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { endianness } from 'node:os'

export interface PollEvents {
  readonly readable: boolean
  readonly writable: boolean
}

/** As libuv calls it (uv_poll_cb): the status is negative for an error. */
export type PollCallback = (status: number, events: PollEvents) => void

/** libuv's uv_poll_t: it keeps the process alive until it is closed, and must not be used after. */
export interface PollHandle {
  start(wanted: Partial<PollEvents>, callback: PollCallback): void
  close(): void
}

/** Each returns −1 for an error, whose number `errno` has then. */
export interface Libc {
  socket(family: number, type: number, protocol: number): number
  bind(descriptor: number, address: Uint8Array, length: number): number
  connect(descriptor: number, address: Uint8Array, length: number): number
  getsockname(descriptor: number, address: Uint8Array, length: Uint8Array): number
  setsockopt(descriptor: number, level: number, name: number, value: Uint8Array, length: number): number
  getsockopt(descriptor: number, level: number, name: number, value: Uint8Array, length: Uint8Array): number
  recvmmsg(descriptor: number, headers: Uint8Array, count: number, flags: number, timeout: null): number
  sendmmsg(descriptor: number, headers: Uint8Array, count: number, flags: number): number
  close(descriptor: number): number
  errno(): number
  /** Where the bytes lie. They must be kept as long as the address is used. */
  address(bytes: Uint8Array): bigint
  poll(descriptor: number, wanted: Partial<PollEvents>, callback: PollCallback): PollHandle
}

export const AF_INET = 2
export const AF_INET6 = 10
/** SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC */
export const DATAGRAM_SOCKET: number = 2 | 0o4000 | 0o2000000
export const SOL_SOCKET = 1
export const SO_SNDBUF = 7
export const SO_RCVBUF = 8
export const SO_REUSEPORT = 15
export const SO_ATTACH_FILTER = 26
/** As SO_SNDBUF and SO_RCVBUF, above the limits of net.core: for CAP_NET_ADMIN alone. */
export const SO_SNDBUFFORCE = 32
export const SO_RCVBUFFORCE = 33
export const SO_ATTACH_REUSEPORT_CBPF = 51
export const IPPROTO_IP = 0
export const IP_MTU_DISCOVER = 10
export const IP_MTU = 14
export const IPPROTO_IPV6 = 41
export const IPV6_MTU_DISCOVER = 23
export const IPV6_MTU = 24
export const IPV6_V6ONLY = 26
/** Of both families: no datagram is fragmented, and what ICMP says of a path is not heeded. */
export const PMTUDISC_PROBE = 3
export const SOL_UDP = 17
export const UDP_SEGMENT = 103
export const UDP_GRO = 104
export const MSG_TRUNC = 0x20

/** Whose headers have the numbers above, and pointers of 8 bytes. */
const ARCHITECTURES: readonly string[] = ['x64', 'arm64', 'riscv64', 'loong64']

/** What of koffi is used. */
interface Koffi {
  load(library: null): { func(declaration: string): (...values: readonly unknown[]) => number }
  errno(): number
  address(bytes: Uint8Array): bigint
  readonly node: { poll: Libc['poll'] }
}

/**
 * By its real path: after a look at a socket or a pipe, Node's own loader may take a symbolic link
 * for it (`fs.realpathSync` with a cache, Node 20), and packages of pnpm are such links.
 */
function requireKoffi(): unknown {
  const require = createRequire(import.meta.url)
  return require(realpathSync.native(require.resolve('koffi')))
}

/**
 * @param load the package, as `require` gives it
 * @returns or why there is none
 */
export function loadLibc(load: () => unknown = requireKoffi): Libc | string {
  if (process.platform !== 'linux') return 'only Linux has the system calls'
  if (!ARCHITECTURES.includes(process.arch) || endianness() !== 'LE') return `it is not made for ${process.arch}`
  // Bun ends the process when libuv's uv_poll_init_socket is called.
  if (process.versions.bun !== undefined) return 'Bun has no uv_poll of libuv'
  try {
    const koffi = load() as Koffi
    // What the process has loaded anyway: its own C library.
    const process = koffi.load(null)
    const declared = (declaration: string): never => process.func(declaration) as never
    return {
      socket: declared('int socket(int, int, int)'),
      bind: declared('int bind(int, void *, unsigned int)'),
      connect: declared('int connect(int, void *, unsigned int)'),
      getsockname: declared('int getsockname(int, void *, void *)'),
      setsockopt: declared('int setsockopt(int, int, int, void *, unsigned int)'),
      getsockopt: declared('int getsockopt(int, int, int, void *, void *)'),
      recvmmsg: declared('int recvmmsg(int, void *, unsigned int, int, void *)'),
      sendmmsg: declared('int sendmmsg(int, void *, unsigned int, int)'),
      close: declared('int close(int)'),
      errno: () => koffi.errno(),
      address: (bytes) => koffi.address(bytes),
      poll: (descriptor, wanted, callback) => koffi.node.poll(descriptor, wanted, callback),
    }
  } catch (error) {
    return `the package koffi cannot be loaded (${(error as NodeJS.ErrnoException).code ?? (error as Error).message})`
  }
}
