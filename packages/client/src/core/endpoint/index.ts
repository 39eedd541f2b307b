/**
 * What a peer and a relay are both made of: the machine contract, timers, transmission, signatures,
 * rate limits, admission. Pure: no clock, no socket, no Node. The sub-path
 * `@showchain/client/endpoint`.
 */
export {
  ADDRESS_POLICIES,
  type AddressPolicy,
  type AddressPolicyName,
  internetPolicy,
  isPrivate,
  labPolicy,
  lanPolicy,
} from './address-policy.ts'
export * from './admission.ts'
export * from './admission-counters.ts'
export * from './admission-rates.ts'
export * from './admitted.ts'
export { Allowance, isProven } from './allowance.ts'
export { type Count, Counters } from './counters.ts'
export { ExpiringMap, type ExpiringMapOptions } from './expiring-map.ts'
export {
  type Datagram,
  type Duration,
  duration,
  type Instant,
  instant,
  later,
  type Machine,
  type Output,
  type Route,
  type SocketChange,
  type SocketId,
  type Transmit,
  type WebSocketTarget,
  type Work,
} from './machine.ts'
export { Outbox } from './outbox.ts'
export { rateSource } from './rate-key.ts'
export { type Rate, RateLimit, TokenBucket } from './rate-limit.ts'
export { randomSeq, Sequence, type Stamp } from './request-stamp.ts'
export { FINAL_WAIT, RETRY_DELAYS, RETRY_JITTER } from './retransmission.ts'
export { FIRST_CONNECTION, isConnection, routeKey, sameRoute, scopeOf, socketOnLink } from './route.ts'
export { encodeCounted, sendKeepAlive, sendMessage, sign, signedLength, verify } from './signed-messages.ts'
export { type Timer, Timers } from './timers.ts'
