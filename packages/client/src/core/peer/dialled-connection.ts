/**
 * The connection that a dial makes this end's. Where there is none, the hello is made before it: the first
 * requests leave, and the connection is made while their answer is on its way.
 */
import type { PeerId } from '@showchain/wire'
import type { ConnectionMachine } from '../connections/connection-machine.ts'
import type { ConnectionTable } from '../connections/connection-table.ts'
import { helloAhead } from '../connections/hello-ahead.ts'
import type { DialAttempt, DialPolicy, PathPolicy } from '../context/events.ts'
import type { PeerContext } from '../context/peer-context.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import type { Registrations } from '../punch/candidates.ts'
import type { Registration } from '../relays/registration.ts'
import type { EarlyBytes } from '../secure/early-bytes.ts'
import { OutgoingHello } from '../secure/hello.ts'
import { helloRoom } from './hello-room.ts'

export interface DialledConnectionOptions {
  readonly target: PeerId
  readonly policy: DialPolicy
  /** Relays that it may go through. */
  readonly relays: readonly Registration[]
  readonly early: EarlyBytes | undefined
  readonly registrations: Registrations
  readonly connections: ConnectionTable
}

export class DialledConnection {
  readonly #context: PeerContext
  readonly #options: DialledConnectionOptions
  /** What the dial tries. */
  readonly #ways: readonly Pick<DialAttempt, 'via'>[]
  /** Made before it. */
  #hello: OutgoingHello | undefined
  #made = false

  constructor(context: PeerContext, options: DialledConnectionOptions, ways: readonly Pick<DialAttempt, 'via'>[]) {
    this.#context = context
    this.#options = options
    this.#ways = ways
  }

  /** From now on the connection is this end's, whichever end's packet completes it. */
  start(now: Instant): void {
    if (this.known !== undefined) return this.make(now)
    const { pumps, outbox } = this.#context
    pumps.once((at) => {
      outbox.pause()
      pumps.once((then) => this.make(then), at)
    }, now)
  }

  /** Undefined: there is none so far, or no more. */
  get known(): ConnectionMachine | undefined {
    return this.#options.connections.get(this.#options.target)
  }

  /** The connection, for a way that worked. It may have been closed meanwhile: then there is another. */
  get(now: Instant): ConnectionMachine {
    this.make(now)
    return this.known ?? this.#claim(undefined, now)
  }

  /** Once. */
  make(now: Instant): void {
    if (this.#made) return
    this.#made = true
    const hello = this.known === undefined ? this.#hello : undefined
    this.#hello = undefined
    this.#claim(hello?.offer.connectionId, now).update(({ relayed }, secure) => {
      for (const relay of this.#options.relays) relayed.meet(relay)
      if (hello !== undefined) secure?.agree((keys) => keys.dial(this.#dialled, now, hello), now)
    }, now)
  }

  /** Requests of the dial may carry a hello. */
  dial(now: Instant): void {
    const { acquaintances, seedMode, self } = this.#context
    const { target } = this.#options
    if (seedMode || this.#hello !== undefined) return
    // One under the key of somebody who was met may say something early, which is the connection's.
    const first = !this.#made && this.known === undefined && acquaintances.staticKey(target) === undefined
    const ahead = first && helloAhead(this.#context, self, target, this.#policy !== 'direct-only')
    if (ahead) this.#hello = new OutgoingHello(ahead.ends, ahead.offer)
    else this.get(now).update((_, secure) => secure?.agree((keys) => keys.dial(this.#dialled, now), now), now)
  }

  get hasHello(): boolean {
    return this.#hello !== undefined || this.known?.secure?.hasHello === true
  }

  /** The hello for a request; undefined: it goes without. */
  helloFor(request: Stamp): Uint8Array | undefined {
    return this.#hello?.value ?? this.known?.secure?.helloFor(request)
  }

  get #dialled(): { readonly early: EarlyBytes | undefined; fits(bytes: number): boolean } {
    const { target, registrations, early } = this.#options
    return { early, fits: helloRoom(this.#context, target, registrations, this.#ways) }
  }

  get #policy(): PathPolicy {
    const { policy } = this.#options
    return policy === 'direct' || policy === 'punch' ? 'direct-only' : policy
  }

  #claim(connectionId: Uint8Array | undefined, now: Instant): ConnectionMachine {
    const { connections, target } = this.#options
    return connections.claim(target, this.#policy, now, connectionId)
  }
}
