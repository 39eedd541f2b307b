/** What is known of a relay by its answers, which are signed (docs/protocol.md, Capabilities). */
import { CAPS, type Endpoint } from '@showchain/wire'
import type { Duration, Instant } from '../endpoint/machine.ts'

export class RelayStanding {
  /** This peer's address as the relay sees it; undefined until the relay has said it. */
  observed: Endpoint | undefined
  /** To the relay, when it was registered last; undefined: it is not known. */
  roundTrip: Duration | undefined
  /** Since when it is registered without a break; undefined: it is not. */
  registeredSince: Instant | undefined
  /** Whether it forwards channel frames. */
  carriesFrames = false
  /** Whether the session of an introduction by it is a path. */
  introduces = false
  /** Whether it keeps the addresses of those to itself that ask it to. */
  conceals = false
  /** Whether it said that it is about to end, or another node of its fleet took over from it. */
  draining = false
  /** Whether its other addresses are nodes of a fleet: whoever is registered at one reaches all peers. */
  fleet = false

  protected learn(caps: number): void {
    this.carriesFrames = (caps & CAPS.channel) !== 0
    this.introduces = (caps & CAPS.introduced) !== 0
    this.conceals = (caps & CAPS.conceals) !== 0
    this.draining = (caps & CAPS.draining) !== 0
    this.fleet = (caps & CAPS.fleet) !== 0
  }
}
