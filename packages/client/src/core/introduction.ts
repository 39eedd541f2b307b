/**
 * What two peers tell each other while a relay introduces them (0x111–0x115): capabilities, NAT
 * behaviour, host candidates; and what of the other end's addresses may be probed.
 */
import { CAPS, type Endpoint, type Extensions } from '@showchain/wire'
import type { Base } from './base.ts'
import type { Instant } from './machine.ts'
import { natBehaviour } from './nat-behaviour.ts'
import type { PunchAttempt } from './punch-attempt.ts'
import type { Registration } from './registration.ts'

/** Every registration of the peer: at most the relays of its configuration and its tickets. */
export type Registrations = ReadonlyMap<string, Registration>

/** The extension fields of a 0x111 or 0x114, or none in seed mode. @param signed whether signed fields may stand in it. */
export function introduction(base: Base, registrations: Registrations, signed: boolean): { ext?: Extensions } {
  if (base.seedMode) return {}
  const local = base.hostCandidates()
  const views = [...registrations.values()].flatMap(({ observed, relay }) =>
    observed === undefined ? [] : [{ from: relay.endpoint, observed }],
  )
  const nat = natBehaviour(views)
  return {
    ext: {
      key: base.spki,
      ...(local.length === 0 ? {} : { local }),
      ...(signed ? { caps: CAPS.directData } : {}),
      ...(signed && nat !== undefined ? { nat } : {}),
    },
  }
}

/** Starts probing what the policy allows of an announced address and its host candidates; false when nothing is left. */
export function probeAll(
  base: Base,
  attempt: PunchAttempt,
  announced: Endpoint,
  local: readonly Endpoint[],
  registration: Registration,
  now: Instant,
): boolean {
  const shares = registration.observed?.ip === announced.ip
  const candidates = [announced, ...(shares ? local : [])].filter((endpoint) => {
    const allowed = base.allows(endpoint, shares)
    if (!allowed) base.count('addressRefused')
    return allowed
  })
  for (const endpoint of candidates) attempt.probe(endpoint, now)
  return candidates.length > 0
}
