/** The protocol machines of a peer and the parts that a relay shares with it. Pure: no clock, no socket, no Node. */
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
  type Transmit,
  type Work,
} from './machine.ts'
export { Outbox } from './outbox.ts'
export { randomSeq, Sequence, type Stamp } from './sequence.ts'
export { type Timer, Timers } from './timers.ts'
