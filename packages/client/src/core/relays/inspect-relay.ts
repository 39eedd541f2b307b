/** What a peer has with a relay at one moment, for `inspect()`. */
import { readPermit } from '@showchain/crypto/core'
import { formatEndpoint, type PeerId } from '@showchain/wire'
import type { Carrier } from '../context/carriers.ts'
import type { Registration } from './registration.ts'
import type { RegistrationState } from './registration-events.ts'

/** A registration with a relay at a moment. */
export interface RelayInspection {
  readonly relay: PeerId
  /** Its address. */
  readonly at: string
  /** What carries datagrams to it and back. */
  readonly over: Carrier
  /** `waiting`: for the next try, after a failure. */
  readonly state: RegistrationState
  /** This peer's address as the relay sees it; undefined before it said. */
  readonly observed: string | undefined
  /** Whether something that it was asked is not answered so far. */
  readonly suspected: boolean
  /** Whether it is about to end. */
  readonly draining: boolean
  /** Whether it showed that it knows extensions, and whether it forwards channel frames. */
  readonly extensions: boolean
  readonly channelFrames: boolean
  /**
   * When the permit ends that it is shown, Unix milliseconds; undefined: it is shown none, or one that only the
   * relay can read.
   */
  readonly permitUntil: number | undefined
}

export function inspectRelay(registration: Registration, permits: ReadonlyMap<PeerId, Uint8Array>): RelayInspection {
  const { relay, route, state, observed, suspected, draining, knowsExtensions, carriesFrames } = registration
  const permit = permits.get(relay.id)
  return {
    ...{ relay: relay.id, at: formatEndpoint(relay.endpoint), over: route.over, state, suspected, draining },
    observed: observed && formatEndpoint(observed),
    ...{ extensions: knowsExtensions, channelFrames: carriesFrames },
    permitUntil: permit && readPermit(permit)?.untilMs,
  }
}
