/**
 * How much the kernel holds for a socket while the loop is busy. The default loses packets from
 * 50,000 a second on, so we ask for more, read back what we got and say so when it is less.
 */
import type { Socket } from 'node:dgram'

/** 4 MiB: 3,500 datagrams of the largest size, 70 ms at 50,000 a second. */
export const RECEIVE_BUFFER: number = 4 * 1024 * 1024

/**
 * Linux reports twice what it grants: the other half is its own bookkeeping (socket(7), SO_RCVBUF).
 */
const REPORTED_PER_GRANTED = process.platform === 'linux' ? 2 : 1

/** What of a socket matters here. */
type Buffers = Pick<Socket, 'setRecvBufferSize' | 'setSendBufferSize' | 'getRecvBufferSize'>

export function checkBuffers(
  socket: Buffers,
  wanted: number,
  onWarning: ((sentence: string) => void) | undefined,
  reportedPerGranted: number = REPORTED_PER_GRANTED,
): void {
  for (const ask of [() => socket.setRecvBufferSize(wanted), () => socket.setSendBufferSize(wanted)]) {
    try {
      ask()
    } catch {
      // Some kernels refuse what is over their limit instead of granting the limit: what was there
      // before stays.
    }
  }
  const granted = Math.floor(socket.getRecvBufferSize() / reportedPerGranted)
  if (granted >= wanted) return
  onWarning?.(
    `The kernel grants a receive buffer of ${kibibytes(granted)} instead of ${kibibytes(wanted)}, so packets may be lost under load: ` +
      `allow more with "sysctl -w net.core.rmem_max=${wanted}".`,
  )
}

const kibibytes = (bytes: number): string => `${Math.floor(bytes / 1024)} KiB`
