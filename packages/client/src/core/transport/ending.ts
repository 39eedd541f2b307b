/**
 * How a connection ends: what CONNECTION_CLOSE tells the remote peer, and what each end is told, in
 * its own words.
 */
import { CLOSE_CODE } from './limits.ts'

/** How a connection ended. */
export interface ConnectionEnd {
  /** The application of either end closed it, or it failed. */
  readonly by: 'local' | 'remote' | 'failure'
  /** What the application that closed it gave; 0: none. */
  readonly code: number
  /** For people. */
  readonly reason: string
}

/** What CONNECTION_CLOSE says. */
export interface Goodbye {
  readonly code: number
  readonly reason: string
}

/** What this end is told, and what the remote peer. */
export interface Ending {
  readonly end: ConnectionEnd
  readonly goodbye: Goodbye
}

/** The application's codes follow those of the protocol on the wire. */
const APPLICATION_CODES = 0x100

const withText = (what: string, text: string): string => (text === '' ? what : `${what}: ${text}`)

/** The application of this end closes the connection. */
export function closedHere({ code, reason }: Goodbye = { code: 0, reason: '' }): Ending {
  return {
    end: { by: 'local', code, reason: withText('closed by this side', reason) },
    goodbye: { code: code === 0 ? CLOSE_CODE.none : APPLICATION_CODES + code, reason },
  }
}

/** The connection cannot go on. The remote peer learns of it, if anything reaches it. */
export function failed(reason: string): Ending {
  return { end: { by: 'failure', code: 0, reason }, goodbye: { code: CLOSE_CODE.internal, reason } }
}

/** The remote peer said goodbye. */
export function closedThere({ code, reason }: Goodbye): ConnectionEnd {
  if (code === CLOSE_CODE.none || code >= APPLICATION_CODES) {
    const given = Math.max(0, code - APPLICATION_CODES)
    const what = given === 0 ? 'closed by the remote peer' : `closed by the remote peer with code ${given}`
    return { by: 'remote', code: given, reason: withText(what, reason) }
  }
  const what = code === CLOSE_CODE.internal ? 'the remote peer gave up' : 'the remote peer found an error'
  return { by: 'failure', code: 0, reason: withText(what, reason) }
}

/** The remote peer broke a rule of the transport. */
export const violated = ({ reason }: Goodbye): ConnectionEnd =>
  failed(`the remote peer violated the protocol: ${reason}`).end
