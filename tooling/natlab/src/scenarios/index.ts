/** Every scenario, in the order that `pnpm natlab` runs them. */
import type { Scenario } from '../scenario.ts'
import { CODES } from './codes.ts'
import { CROWDS } from './crowds.ts'
import { FAMILIES } from './families.ts'
import { FILES } from './files.ts'
import { FLEETS } from './fleets.ts'
import { ISLAND } from './island.ts'
import { MAPPED } from './mapped.ts'
import { OUTAGES } from './outages.ts'
import { PAIRS } from './pairs.ts'
import { PINGS } from './pings.ts'
import { PLACES } from './places.ts'
import { STRANGER } from './stranger.ts'
import { TRANSFERS } from './transfers.ts'
import { TUNNELS } from './tunnels.ts'
import { WITHOUT_UDP } from './without-udp.ts'

export const SCENARIOS: readonly Scenario[] = [
  ...PAIRS,
  ...PLACES,
  ...FAMILIES,
  ...WITHOUT_UDP,
  ...ISLAND,
  ...MAPPED,
  ...PINGS,
  ...CODES,
  ...STRANGER,
  ...TRANSFERS,
  ...FILES,
  ...TUNNELS,
  ...OUTAGES,
  ...FLEETS,
  ...CROWDS,
]
