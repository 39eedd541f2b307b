/** The dials under way: each until all of its ways have ended, within the time of two requests. */
import { type Endpoint, type PeerId, sameEndpoint } from '@showchain/wire'
import { WARM_HELLO_BYTES, writeEarly } from '@showchain/wire/end-to-end'
import type { ConnectionTable } from '../connections/connection-table.ts'
import type { DialAttempt, DialId, DialPolicy } from '../context/events.ts'
import type { PeerContext } from '../context/peer-context.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { PunchAttempts } from '../punch/punch-attempts.ts'
import type { Registration } from '../relays/registration.ts'
import type { RegistrationTable } from '../relays/registration-table.ts'
import type { Transactions } from '../requests/transaction.ts'
import type { EarlyBytes } from '../secure/early-bytes.ts'
import { Dial, type DialTarget } from './dial.ts'
import { helloRoom } from './hello-room.ts'

export interface DialsOptions {
  readonly registrations: RegistrationTable
  readonly connections: ConnectionTable
  readonly attempts: PunchAttempts
  /** A dial ended. */
  ended(): void
}

/** A dial at one moment, for `inspect()`. */
export interface DialInspection {
  readonly remoteId: PeerId
  readonly policy: DialPolicy
  /** Each way that it tries or tried. */
  readonly ways: readonly DialAttempt[]
}

export class Dials {
  readonly #context: PeerContext
  readonly #transactions: Transactions
  readonly #options: DialsOptions
  readonly #byId = new Map<DialId, Dial>()
  #next = 1

  constructor(context: PeerContext, transactions: Transactions, options: DialsOptions) {
    this.#context = context
    this.#transactions = transactions
    this.#options = options
  }

  start({ id: target, policy, addresses, relays, early }: DialTarget, now: Instant): DialId {
    const { registrations, connections, attempts, ended } = this.#options
    const id = this.#next++
    const dial = new Dial(this.#context, this.#transactions, {
      ...{ id, target, policy, addresses, early, connections, attempts },
      remembered: this.#remembered(target, addresses, early),
      relays: policy === 'direct' ? [] : relays.map((relay) => registrations.borrow(relay, now)),
      registrations: registrations.all,
      ended: (at) => {
        this.#byId.delete(id)
        // Another dial may wait for the same connection.
        if (!this.has(target)) connections.disclaim(target, at)
        ended()
      },
    })
    this.#byId.set(id, dial)
    dial.start(now)
    return id
  }

  /**
   * Where this peer met the target last, if a request to it leaves the others their room for a hello.
   * What is private may be another network by now.
   */
  #remembered(target: PeerId, addresses: readonly Endpoint[], early: EarlyBytes | undefined): Endpoint | undefined {
    const { acquaintances, allows } = this.#context
    const known = acquaintances.address(target)
    if (known === undefined || addresses.some((address) => sameEndpoint(address, known))) return undefined
    const said = early === undefined ? 0 : writeEarly({ bytes: early.bytes, fin: false }).length
    const fits = helloRoom(this.#context, target, this.#options.registrations.all, [{ via: 'direct' }])
    return allows(known, false) && fits(WARM_HELLO_BYTES + said) ? known : undefined
  }

  cancel(id: DialId, now: Instant): void {
    this.#byId.get(id)?.cancel(now)
  }

  /**
   * The connection with a peer that was open has ended. What still looks for a path would make
   * another one, which nobody asked for.
   */
  closed(peer: PeerId, now: Instant): void {
    for (const dial of [...this.#byId.values()]) if (dial.options.target === peer && dial.reported) dial.cancel(now)
  }

  close(now: Instant): void {
    for (const dial of [...this.#byId.values()]) dial.cancel(now)
  }

  inspect(): readonly DialInspection[] {
    return [...this.#byId.values()].map(({ attempts, options }) => ({
      ...{ remoteId: options.target, policy: options.policy, ways: attempts },
    }))
  }

  /** Whether this peer is being dialled. */
  has(peer: PeerId): boolean {
    return [...this.#byId.values()].some(({ options }) => options.target === peer)
  }

  uses(registration: Registration): boolean {
    return [...this.#byId.values()].some(({ options }) => options.relays.includes(registration))
  }
}
