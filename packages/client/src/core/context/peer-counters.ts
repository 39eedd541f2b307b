/** What a peer counts: datagrams and decisions that nobody is told about otherwise. */
import { ADMISSION_COUNTERS, type AdmissionCounter } from '../endpoint/admission-counters.ts'

const OWN_COUNTERS = {
  received: 'datagrams that came in',
  refused: 'datagrams that were no message',
  unexpected: 'messages that answer nothing outstanding or come from the wrong address',
  signShed: 'messages that nobody had time to sign',
  tooLarge: 'messages that did not fit a datagram',
  addressRefused: 'announced addresses that the policy refuses',
  consentRefused: 'peers that were refused, or not decided on in time',
  plaintextRefused: 'readable data that came in without opt-in',
  recordRefused: 'records that are not genuine, came before, or are for no connection',
  handshakeRefused: 'handshake messages that are not genuine, or that nobody waits for',
  receiverFull: 'data that was not acknowledged because its reader is behind',
  duplicate: 'data that had arrived before',
} as const
export type PeerCounter = AdmissionCounter | keyof typeof OWN_COUNTERS

export const PEER_COUNTERS: Readonly<Record<PeerCounter, string>> = { ...ADMISSION_COUNTERS, ...OWN_COUNTERS }
