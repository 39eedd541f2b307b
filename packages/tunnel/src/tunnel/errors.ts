/** Why a connection through a tunnel did not come about, or was reset. */
import type { StreamReset } from '@showchain/client'
import { ShowchainError } from '@showchain/wire'
import { CODES, type Reason, reasonOf } from '../core/index.ts'

/** The other end of the tunnel, or its target, did not carry the connection. */
export class TunnelError extends ShowchainError {
  readonly reason: Reason

  constructor(reason: Reason, options?: { readonly cause?: unknown }) {
    const { why } = CODES[reason]
    super('ERR_TUNNEL_REFUSED', `${why.charAt(0).toUpperCase()}${why.slice(1)}.`, options)
    this.reason = reason
  }
}

/** The code with which a stream is reset. */
export const codeFor = (reason: Reason): StreamReset => ({ streamCode: CODES[reason].code })

/** The code with which the remote peer reset a stream; undefined: something else happened. */
function streamCodeOf(error: unknown): number | undefined {
  if (!(error instanceof ShowchainError) || error.code !== 'ERR_STREAM_RESET') return undefined
  return (error.cause as StreamReset).streamCode
}

/** What the remote peer said by resetting a stream of the tunnel. */
export function saidBy(error: unknown): unknown {
  const code = streamCodeOf(error)
  return code === undefined ? error : new TunnelError(reasonOf(code) ?? 'reset', { cause: error })
}

const REFUSALS: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: 'refused',
  ENOENT: 'refused',
  ETIMEDOUT: 'timeout',
  EMFILE: 'busy',
  ENFILE: 'busy',
  EAGAIN: 'busy',
}

/** Why a target was not reached, by the `code` of a system error. */
export function targetFailure(error: unknown): Reason {
  // It was given up at its deadline.
  if (error instanceof Error && error.name === 'AbortError') return 'timeout'
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  return REFUSALS[code] ?? 'unreachable'
}
