/**
 * What several relays' views of one socket tell of the NAT in front of it (RFC 4787 §4.1).
 * Filtering needs a server that answers from another address and stays unknown here.
 */
import { type Endpoint, ipFamily, type Nat, sameEndpoint } from '@showchain/wire'

export interface View {
  /** Who looked. */
  readonly from: Endpoint
  /** What it saw. */
  readonly observed: Endpoint
}

/** The `nat` extension of what is known, or undefined when nothing is. */
export function natBehaviour(views: readonly View[]): Nat | undefined {
  const [first, ...others] = views
  if (first === undefined) return undefined
  const comparable = others.filter(
    (view) => view.from.ip !== first.from.ip && ipFamily(view.observed.ip) === ipFamily(first.observed.ip),
  )
  if (comparable.length === 0) return undefined
  const independent = comparable.every((view) => sameEndpoint(view.observed, first.observed))
  // Views from different addresses cannot tell address- from address-and-port-dependent: the weaker
  // claim.
  return { mapping: independent ? 1 : 2, filtering: 0 }
}
