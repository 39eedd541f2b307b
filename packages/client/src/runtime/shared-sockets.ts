/**
 * UDP sockets that several processes have on the same addresses, on Linux: one process opens them for all,
 * and each of the others reads its own. The kernel spreads what comes over them by the addresses of both ends,
 * so that who sends from one address stays with one process. A process that dies leaves its sockets open: what
 * comes waits in them for its successor, and nobody else's flows move.
 */
import type { Endpoint } from '@showchain/wire'
import { openDescriptor } from './batched/batched-socket.ts'
import { type Steering, steer } from './batched/steering.ts'
import { bindAll } from './bind.ts'
import { onlyBatched } from './socket-kind.ts'
import type { ListenAddress } from './udp-options.ts'

export type { Steering } from './batched/steering.ts'

export interface SharedSockets {
  /** Where they are, with the ports they got. */
  readonly endpoints: readonly Endpoint[]
  /** Of each process: one descriptor for each endpoint, for `openUdp`. */
  readonly descriptors: readonly (readonly number[])[]
  /**
   * Datagrams that name a process go to it, whoever sent them; the process number is that in their order.
   * @returns whether the kernel does it
   */
  steer(steering: Steering): boolean
  close(): void
}

/**
 * Opens sockets for so many processes.
 *
 * @throws ShowchainError `ERR_ADDRESS_IN_USE`, `ERR_CANNOT_LISTEN`
 */
export async function openSharedSockets(listen: readonly ListenAddress[], processes: number): Promise<SharedSockets> {
  const { bind, libc } = await onlyBatched()
  // Nobody else is there: those who share an address would share it with a stranger of this user, too.
  const { sockets } = await bindAll(listen, bind)
  const endpoints = sockets.map(({ local }) => local)
  await Promise.all(sockets.map((socket) => socket.close()))
  const opened: number[] = []
  const close = (): void => {
    for (const descriptor of opened.splice(0)) libc.close(descriptor)
  }
  const open = ({ ip, port }: Endpoint): number => {
    const descriptor = openDescriptor(libc, { host: ip, port }, true)
    opened.push(descriptor)
    return descriptor
  }
  try {
    const descriptors = Array.from({ length: processes }, () => endpoints.map(open))
    const steered = (steering: Steering): boolean =>
      // For each address: the kernel counts its sockets in the order in which they were bound.
      (descriptors[0] ?? []).map((descriptor) => steer(libc, descriptor, steering)).includes(true)
    return { endpoints, descriptors, steer: steered, close }
  } catch (error) {
    close()
    throw error
  }
}
