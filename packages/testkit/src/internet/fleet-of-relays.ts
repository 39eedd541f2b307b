/** Simulated relays that serve as one. */
import type { Simulation } from '../sim/simulation.ts'
import { SimFleet, type SimFleetOptions } from './sim-fleet.ts'
import type { SimRelay, SimRelayOptions } from './sim-relay.ts'

/** A fleet of relays. */
export interface FleetOfRelays {
  readonly bus: SimFleet
  readonly relays: readonly SimRelay[]
}

/** What a fleet and its relays are like. */
export interface FleetPlace extends Omit<SimRelayOptions, 'fleet' | 'identity'> {
  readonly bus?: SimFleetOptions | undefined
}

type AddRelay = (options: SimRelayOptions & { readonly name: string }) => SimRelay

/** So many relays on one bus; their numbers are from 1. */
export function fleetOfRelays(
  sim: Simulation,
  name: string,
  count: number,
  { bus: options, ...kind }: FleetPlace,
  add: AddRelay,
): FleetOfRelays {
  const bus = new SimFleet(sim, name, options)
  const relays = Array.from({ length: count }, (_, index) =>
    add({ ...kind, name: `${name} node${index + 1}`, fleet: { bus, node: index + 1 } }),
  )
  return { bus, relays }
}
