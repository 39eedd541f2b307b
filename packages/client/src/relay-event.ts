/** What becomes of registrations, for the application. */
import type { Endpoint, PeerId } from '@showchain/wire'

/** What happened to a registration with a relay. */
export interface RelayEvent {
  readonly relay: PeerId
  /** Undefined: its name has no address, or cannot be resolved. */
  readonly at: Endpoint | undefined
  /**
   * `draining`: it is about to end, and carries what is open until then. `limited`: it carries no more
   * data of this peer, whose quota is used up. `expiring`: the permit in its ticket ends within a day; comes
   * once.
   */
  readonly state: 'registered' | 'lost' | 'failed' | 'draining' | 'limited' | 'expiring'
  /** This peer's address as the relay sees it. */
  readonly observed?: Endpoint | undefined
  /** What carries datagrams to it and back, when it is registered. */
  readonly over?: 'udp' | 'websocket' | undefined
  /** Why it is no longer registered, will not be, carries no data, or will not for long, as text. */
  readonly reason?: string | undefined
  /** When the permit ends that is `expiring`, Unix milliseconds. */
  readonly until?: number | undefined
}
