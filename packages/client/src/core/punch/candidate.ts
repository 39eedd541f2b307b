/** One address at which an attempt looks for the remote peer. */
import type { Route } from '../endpoint/machine.ts'
import type { Transaction } from '../requests/transaction.ts'
import { MAX_PROBES } from './limits.ts'

export interface Candidate {
  readonly route: Route
  /** Whether it was announced: only announced candidates are probed unasked. */
  announced: boolean
  /** Whether its probes are planned. */
  paced: boolean
  /** Sent there. */
  probes: number
  /** How many may be, until something comes from there. */
  limit: number
  /** Of questions in records. */
  readonly token: Uint8Array
  /**
   * What came from there. `asked`: nothing that answers. `asked back`: an answer, of a remote peer
   * that has none of this end so far.
   */
  heard: 'nothing' | 'asked' | 'asked back' | 'settled'
  check: Transaction | undefined
}

/** Whether the path works both ways. */
export const isAnswered = ({ heard }: Candidate): boolean => heard === 'asked back' || heard === 'settled'

/** @param token of questions to it */
export const newCandidate = (route: Route, token: Uint8Array): Candidate => ({
  ...{ route, token, probes: 0, limit: MAX_PROBES, heard: 'nothing', check: undefined },
  announced: false,
  paced: false,
})
