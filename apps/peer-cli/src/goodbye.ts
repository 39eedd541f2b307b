/**
 * What the programs tell each other when a connection ends, so that both know whether everything
 * arrived.
 */
import type { CloseOptions, Connection, ConnectionEnd } from '@showchain/client'
import { BusyError, RefusedError, TransferError } from './failures.ts'

/** Codes of `connection.close`. */
export const GOODBYE = {
  /** Everything was delivered, and everything of the remote peer was received to its end. */
  whole: 0,
  /** It ends before that; the reason says why. */
  incomplete: 1,
  /** Another connection is served. */
  busy: 2,
  /** --send-only: everything was delivered, and nothing was received. */
  sent: 3,
  /** Somebody at the other end was asked, and said no. */
  refused: 4,
} as const

/** Characters of a reason, which is printable ASCII. */
const MAX_REASON = 256

export const incomplete = (why: string): CloseOptions => ({
  code: GOODBYE.incomplete,
  reason: why.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_REASON),
})

/** What the program at the other end did, by its code. */
const REMOTE: ReadonlyMap<number, string> = new Map([
  [GOODBYE.incomplete, 'the program at the other end stopped'],
  [GOODBYE.busy, 'the remote peer is busy: it serves one connection at a time'],
  [GOODBYE.sent, 'the program at the other end only sends (--send-only)'],
  [GOODBYE.refused, 'the remote peer did not let this one in'],
])

/** How a connection ended, for people. A code that is not of this program stays a number. */
export function endWords({ by, code, reason }: ConnectionEnd): string {
  const words = by === 'remote' ? REMOTE.get(code) : undefined
  if (words === undefined) return reason
  const said = code === GOODBYE.incomplete ? reason.slice(`closed by the remote peer with code ${code}`.length) : ''
  return `${words}${said}`
}

/** What the end of the connection means where something was missing. */
export function failureOf({ end }: Connection): TransferError | BusyError | RefusedError {
  const words = end === undefined ? 'the connection ended' : endWords(end)
  if (end?.by === 'remote' && end.code === GOODBYE.busy) return new BusyError(words)
  if (end?.by === 'remote' && end.code === GOODBYE.refused) return new RefusedError(words)
  return new TransferError(`not everything was transferred: ${words}`)
}

/**
 * The end that dialled says goodbye after 3 round trips, and at least this: its last acknowledgement
 * has arrived by then, repeated if need be. Two acknowledgement delays (RFC 9000 §13.2.1).
 */
const LAST_ACK = 50

/** Resolves after that time, or when the remote peer has said goodbye. @param least milliseconds */
export function lastAcknowledged(connection: Connection, least: number = LAST_ACK): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(least, 3 * (connection.statistics?.rtt ?? 0)))
    const closed = (): void => {
      clearTimeout(timer)
      resolve()
    }
    if (connection.end !== undefined) closed()
    else connection.on('close', closed)
  })
}
