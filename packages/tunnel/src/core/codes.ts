/** Why a stream of a tunnel was reset: the codes of RESET_STREAM and STOP_SENDING, and what they mean for people. */

export type Reason = 'reset' | 'refused' | 'unreachable' | 'timeout' | 'busy' | 'kind' | 'malformed' | 'closing'

interface CodeRow {
  readonly code: number
  /** What the end that did not reset it says: the end of a sentence. */
  readonly why: string
}

export const CODES: Readonly<Record<Reason, CodeRow>> = {
  reset: { code: 1, why: 'the connection was reset' },
  refused: { code: 2, why: 'the target refused the connection' },
  unreachable: { code: 3, why: 'the target cannot be reached' },
  timeout: { code: 4, why: 'the target did not answer' },
  busy: { code: 5, why: 'the remote peer serves as many connections as it can' },
  kind: { code: 6, why: 'the remote peer serves another kind of target: streams or datagrams' },
  malformed: { code: 7, why: 'the remote peer did not answer as a tunnel does' },
  closing: { code: 8, why: 'the remote peer serves no more' },
}

/** Undefined for a code of somebody else. */
export const reasonOf = (code: number): Reason | undefined =>
  (Object.keys(CODES) as Reason[]).find((reason) => CODES[reason].code === code)
