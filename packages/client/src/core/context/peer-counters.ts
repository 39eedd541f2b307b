/** Counters of a peer: datagrams and decisions that cause no event. */
import { ADMISSION_COUNTERS, type AdmissionCounter } from '../endpoint/admission-counters.ts'

const OWN_COUNTERS = {
  received: 'datagrams received',
  refused: 'malformed datagrams',
  unexpected: 'messages that match no outstanding request or come from another address',
  signShed: 'signing requests shed because the queue was full',
  tooLarge: 'messages that were too large for a datagram',
  addressRefused: 'announced addresses refused by the address policy',
  consentRefused: 'peers that were refused, or not decided on in time',
  plaintextRefused: 'readable data received without `plaintext`',
  recordRefused: 'records that are forged, replayed, or for an unknown connection',
  handshakeRefused: 'handshake messages that are forged or unexpected',
  receiverFull: 'messages not acknowledged because the reader was behind',
  duplicate: 'messages received again',
} as const
/** Names of the counters of a peer. */
export type PeerCounter = AdmissionCounter | keyof typeof OWN_COUNTERS

/** What a peer counts. */
export const PEER_COUNTERS: Readonly<Record<PeerCounter, string>> = { ...ADMISSION_COUNTERS, ...OWN_COUNTERS }
