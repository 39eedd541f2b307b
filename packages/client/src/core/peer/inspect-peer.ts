/** Everything that a peer has at one moment, for `inspect()`: plain data, and nothing secret. */
import { type ConnectionInspection, inspectConnection } from '../connections/inspect-connection.ts'
import type { PeerContext } from '../context/peer-context.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { Timers } from '../endpoint/timers.ts'
import type { PunchInspection } from '../punch/punch-attempt.ts'
import { inspectRelay, type RelayInspection } from '../relays/inspect-relay.ts'
import type { DialInspection, Dials } from './dials.ts'
import type { Destinations } from './dispatch.ts'

export interface PeerMachineInspection {
  readonly relays: readonly RelayInspection[]
  readonly dials: readonly DialInspection[]
  /** Hole punching under way. */
  readonly punches: readonly PunchInspection[]
  readonly connections: readonly ConnectionInspection[]
  /** `nextIn`: milliseconds until the first is due; undefined: none is set. */
  readonly timers: { readonly pending: number; readonly nextIn: number | undefined }
  /** Sockets beside those that the peer listens at. */
  readonly extraSockets: number
}

interface Clockwork {
  readonly timers: Timers
  readonly next: Instant | undefined
  readonly context: Pick<PeerContext, 'sockets' | 'permits'>
}

export function inspectPeer(
  { registrations, punchAttempts, connections }: Destinations,
  dials: Dials,
  { timers, next, context: { sockets, permits } }: Clockwork,
  now: Instant,
): PeerMachineInspection {
  return {
    relays: [...registrations.values()].map((registration) => inspectRelay(registration, permits)),
    dials: dials.inspect(),
    punches: [...punchAttempts.all].map((attempt) => attempt.inspect()),
    connections: [...connections.all].map(inspectConnection),
    timers: { pending: timers.pending, nextIn: next && Math.max(next - now, 0) },
    extraSockets: sockets.size,
  }
}
