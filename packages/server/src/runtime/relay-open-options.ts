/** What a relay on a runtime is opened with. */
import type { ListenAddress, Runtime, Trace, WorkerLimits } from '@showchain/client/runtime'
import type { Identity, PublicKey } from '@showchain/crypto'
import type { Address } from '@showchain/wire'
import type { Applicant, Quotas, RelayEvent, RelayLimits } from '../core/index.ts'
import type { FleetMembership } from './fleet-bus.ts'
import type { UsageStore } from './usage-store.ts'
import type { WebSocketOptions } from './websocket/options.ts'

/** What a relay is opened with. */
export interface RelayOpenOptions {
  readonly identity: Identity
  /** At most one address of each family. @default 0.0.0.0 and ::, one free port */
  readonly listen?: readonly ListenAddress[] | undefined
  /**
   * Further sockets that answer STUN alone, so that peers can find out what their NAT does: with
   * another address or port, best with both (RFC 5780).
   * @default none
   */
  readonly stunAlternates?: readonly ListenAddress[] | undefined
  /**
   * Sockets that another process opened for this one, in place of `listen` and `stunAlternates`, by their
   * descriptors: the relay's own, and those of each alternate. @default none
   */
  readonly shared?:
    | { readonly own: readonly number[]; readonly stunAlternates: readonly (readonly number[])[] }
    | undefined
  /**
   * Where peers reach this relay, for its ticket.
   * @default what it is bound to, a wildcard as the host's own addresses
   */
  readonly publicAddresses?: readonly Address[] | undefined
  /** For peers whose network lets no UDP through. @default none */
  readonly websocket?: WebSocketOptions | undefined
  /** Keys of peers that speak only the seed's messages; others bring theirs along. @default none */
  readonly knownKeys?: readonly PublicKey[] | undefined
  /**
   * Whether a peer may use the relay, asked when its signature has shown who it is, and again each
   * `limits.accessSeconds`. Nobody is let in while it has not answered, or when it throws.
   * @default everyone may
   */
  readonly access?: ((applicant: Applicant) => boolean | Promise<boolean>) | undefined
  /**
   * Who shows a permit that was made with this identity may use it, beside those that `access` lets in
   * (permitTicket). @default permits count for nothing
   */
  readonly permits?: boolean | undefined
  /** What peers may send through it. @default as much as they want */
  readonly quotas?: Quotas | undefined
  /** Where what they used is kept. @default in memory, until the relay closes */
  readonly usage?: UsageStore | undefined
  /** The fleet that it is a node of; closed with the relay. @default none */
  readonly fleet?: FleetMembership | undefined
  /** In place of RELAY_LIMITS' defaults. @default none */
  readonly limits?: Partial<RelayLimits> | undefined
  /** How much RSA waits and runs at once. @default WORKER_LIMITS */
  readonly workers?: Partial<WorkerLimits> | undefined
  /**
   * The system that the relay runs on: Node, or a host of testkit's simulated internet.
   * @default nodeRuntime
   */
  readonly runtime?: Runtime | undefined
  /**
   * Called for each datagram, with its message. Decodes each a second time.
   * @default none
   */
  readonly trace?: Trace | undefined
  /** Called when bindings and sessions begin and end. @default none */
  readonly onEvent?: ((event: RelayEvent) => void) | undefined
  /** Called with the seconds that each check of a signature took, its wait for a thread included. @default none */
  readonly onVerified?: ((seconds: number) => void) | undefined
  /** Called with a sentence about a problem that does not stop the relay. @default none */
  readonly onWarning?: ((sentence: string) => void) | undefined
}
