/**
 * Repeated introductions: a connection that lives on a relay asks it to introduce both ends once
 * more.
 */
import type { PeerId } from '@showchain/wire'
import type { ConnectionTable } from '../connections/connection-table.ts'
import type { PeerContext } from '../context/peer-context.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { Registration } from '../relays/registration.ts'
import type { Transactions } from '../requests/transaction.ts'
import type { Registrations } from './candidates.ts'
import type { PunchAttempts } from './punch-attempts.ts'
import { PunchRequester } from './punch-requester.ts'

export interface ReintroductionsOptions {
  readonly registrations: Registrations
  readonly connections: ConnectionTable
  readonly attempts: PunchAttempts
}

export class Reintroductions {
  readonly #context: PeerContext
  readonly #transactions: Transactions
  readonly #options: ReintroductionsOptions
  /** At most one for each connection. */
  readonly #requests = new Set<PunchRequester>()

  constructor(context: PeerContext, transactions: Transactions, options: ReintroductionsOptions) {
    this.#context = context
    this.#transactions = transactions
    this.#options = options
  }

  /** @param done when it ended, with a direct path or without */
  start(target: PeerId, registration: Registration, done: (now: Instant) => void, now: Instant): void {
    const { registrations, connections, attempts } = this.#options
    const request = new PunchRequester(this.#context, this.#transactions, {
      ...{ target, registration, registrations, attempts },
      knowsExtensions: connections.get(target)?.paths.direct.speaksExtensions === true,
      // There are keys.
      hello: () => undefined,
      answered: () => {},
      done: (_why, at) => {
        request.close()
        this.#requests.delete(request)
        done(at)
      },
    })
    this.#requests.add(request)
    request.start(now)
  }

  close(): void {
    for (const request of this.#requests) request.close()
  }
}
