/**
 * Carries the bytes of a local connection on a stream, and back, until both directions have ended.
 * An end of one direction (FIN) is carried as that; whatever else happens resets all of it (RST), so
 * that no program takes a part for the whole. Nothing is read that the other side does not take;
 * that a local connection was reset is noticed when it is read from, or written to.
 */
import { ShowchainError } from '@showchain/wire'
import type { Reason } from '../core/index.ts'
import { codeFor, saidBy, TunnelError } from './errors.ts'
import type { ByteStream, LocalSocket, TunnelCounters } from './ports.ts'

interface SpliceOptions {
  readonly counters?: Pick<TunnelCounters, 'sent' | 'received'> | undefined
  /** Resets the connection, as when this end of the tunnel closes. */
  readonly signal?: AbortSignal | undefined
}

/**
 * @throws TunnelError: the remote peer said why, or the local connection was reset; ShowchainError
 *   `ERR_CLOSED`: the connection to the remote peer has ended, or the signal was aborted
 */
export async function splice(
  socket: LocalSocket,
  stream: ByteStream,
  { counters = { sent: 0, received: 0 }, signal }: SpliceOptions = {},
): Promise<void> {
  const out = async (): Promise<void> => {
    for (let bytes = await socket.read(); bytes !== undefined; bytes = await socket.read()) {
      await stream.write(bytes)
      counters.sent += bytes.length
    }
    await stream.end()
  }
  const into = async (): Promise<void> => {
    for (let bytes = await stream.read(); bytes !== undefined; bytes = await stream.read()) {
      await socket.write(bytes)
      counters.received += bytes.length
    }
    await socket.end()
  }
  const reset = (reason: Reason): void => {
    stream.abort(codeFor(reason))
    stream.cancel(codeFor(reason))
    socket.reset()
  }
  const close = (): void => reset('closing')
  signal?.addEventListener('abort', close, { once: true })
  if (signal?.aborted) close()
  try {
    await Promise.all([out(), into()])
  } catch (error) {
    reset('reset')
    const said = saidBy(error)
    throw said instanceof ShowchainError ? said : new TunnelError('reset', { cause: error })
  } finally {
    signal?.removeEventListener('abort', close)
  }
}
