/** Counters of a relay. Metrics, the status output and the docs are generated from this table. */
import { ADMISSION_COUNTERS, type AdmissionCounter } from '@showchain/client/endpoint'

const OWN = {
  received: 'datagrams that came in',
  sent: 'datagrams that went out',
  refused: 'datagrams that were no message',
  stun: 'STUN requests that were answered',
  stunRefused: 'STUN requests that ask for what this relay cannot do: answered with 420',
  record: 'end-to-end records, which go between peers only',
  channelForwarded: 'channel frames passed on',
  sourceRefused: 'datagrams from an address that nobody can be reached at',
  unexpected: 'messages that answer nothing outstanding, are for somebody else, or that nobody sends to a relay',
  unbound: 'messages other than 0x100 and 0x101 from an address that is not bound to their sender',
  draining: 'requests that were refused while the relay was draining',
  drainingSent: 'registered peers that were told that the relay drains',
  registered: 'registrations, first ones and renewals',
  bindingRefused:
    'registrations refused: over the cap of their source, or in seed mode for a peer that is bound elsewhere',
  accessRefused: 'registrations refused: the peer may not use this relay',
  accessUndecided: 'registrations refused: nobody could tell whether the peer may use this relay',
  overQuota: 'registrations, proxied messages and channel frames refused: an allotment of bytes is used up',
  overRate: 'proxied messages and channel frames beyond the rate of all, or their share of it',
  bindingEvicted: 'registered peers that made room for others',
  keepAlive: 'keep-alives from bound addresses',
  unboundSent: 'errors unbound that were sent',
  targetAbsent: 'requests and data for a peer that is not registered',
  punchForwarded: 'punch requests passed on to their target',
  punchConsented: 'punch acknowledgements passed back',
  tooLarge: 'messages that did not fit a datagram in the encoding of their receiver',
  signShed: 'messages that nobody had time to sign',
  sessionOpened: 'proxy sessions opened',
  sessionEvicted: 'proxy sessions that made room for others',
  noSession: 'proxied data and channel frames for a session that is not there',
  dataForwarded: 'proxied messages passed on',
  dataRepeated: 'proxied messages passed on again',
  dataAnswered: 'repeated proxied messages answered with the acknowledgement that had come',
  dataOverWindow: 'proxied messages over the cap of unacknowledged ones, or repeated too often',
  consentExhausted: 'proxied messages over the budget of a target that has not answered',
  acknowledged: 'acknowledgements passed back',
} as const

/** Names of the counters of a relay. */
export type RelayCounter = keyof typeof OWN | AdmissionCounter
/** What a relay counts. */
export const RELAY_COUNTERS: Readonly<Record<RelayCounter, string>> = { ...OWN, ...ADMISSION_COUNTERS }

/** The counters of what a relay did not do, though somebody sent something: a reason each. */
export const RELAY_REFUSALS: readonly RelayCounter[] = [
  'refused',
  'stunRefused',
  'record',
  'sourceRefused',
  'unexpected',
  'unbound',
  'draining',
  'bindingRefused',
  'accessRefused',
  'accessUndecided',
  'overQuota',
  'overRate',
  'targetAbsent',
  'tooLarge',
  'signShed',
  'noSession',
  'dataOverWindow',
  'consentExhausted',
  'badKey',
  'unknownKey',
  'rateLimited',
  'replayed',
  'inProgress',
  'badSignature',
  'verifyShed',
]
