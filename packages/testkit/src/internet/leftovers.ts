/** Violations and leaks at the end of a scenario, after everything was closed. */
import { type Duration, duration, type Instant, later } from '@showchain/client/core'
import type { Host } from '../sim/host.ts'
import type { Simulation } from '../sim/simulation.ts'
import type { TimelineEntry } from '../sim/timeline.ts'
import type { SimPeer } from './sim-peer.ts'
import type { SimRelay } from './sim-relay.ts'

/** Longer than any state of a machine lives. */
const AFTER_ALL: Duration = duration(3_600_000)

/** The peers and relays of a scenario. */
export interface Participants {
  readonly sim: Simulation
  readonly peers: readonly SimPeer[]
  readonly relays: readonly SimRelay[]
  /** Peers of the public API, and their hosts. */
  readonly open: readonly { readonly host: Host; close(): Promise<void> }[]
}

export async function leftovers({ sim, peers, relays, open }: Participants): Promise<readonly string[]> {
  const found: string[] = []
  const lastSent = (): TimelineEntry | undefined =>
    sim.timeline.entries.findLast((entry) => entry.type === 'packet' && entry.from in senders)
  const participants = [...peers, ...relays, ...open]
  const senders = Object.fromEntries(participants.map(({ host }) => [host.name, true]))
  for (const { ledger } of [...peers, ...relays]) found.push(...ledger.violations)
  for (const peer of peers) {
    await peer.close()
    for (const { id } of peer.open) found.push(`${peer.host.name}: connection ${id} stayed open`)
  }
  for (const each of open) await sim.settle(each.close())
  for (const relay of relays) await relay.kill()
  // Packets in flight arrive at closed sockets: nothing answers, and nothing else is scheduled.
  const last = lastSent()
  const closed = sim.clock.now()
  const patience = later(closed, AFTER_ALL)
  while (sim.clock.now() < patience && sim.clock.step());
  if (lastSent() !== last) found.push('a node that was closed sent a packet')
  const end = lastArrival(sim.timeline.entries, closed)
  if (sim.clock.now() > end)
    found.push(`a timer was still set for ${sim.clock.now()} ms, after all was over at ${end} ms`)
  for (const { host } of participants)
    if (host.openSockets > 0) found.push(`${host.name}: ${host.openSockets} sockets stayed open`)
  for (const { host, machine } of peers) {
    machine.wake(later(sim.clock.now(), AFTER_ALL))
    if (machine.deadline !== undefined) found.push(`${host.name}: a timer comes again and again`)
  }
  return found
}

/** When the last packet arrived. @param since at least */
function lastArrival(entries: readonly TimelineEntry[], since: Instant): Instant {
  let last = since
  for (const entry of entries) if (entry.type === 'packet') for (const at of entry.arrivals) if (at > last) last = at
  return last
}
