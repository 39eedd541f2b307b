/** The STUN servers of the configuration: those that are resolved so far, in its order. */
import { type Address, type Endpoint, sameEndpoint } from '@showchain/wire'
import { NameSearch, type Names } from './names.ts'

export interface StunServersOptions {
  readonly addresses: readonly Address[]
  readonly names: Names
  /** Whether a socket has the endpoint's address family. */
  reaches(endpoint: Endpoint): boolean
  /** Asks these from now on. */
  use(servers: readonly Endpoint[]): void
  /** Whether any of them answered. */
  answered(): boolean
  readonly onWarning: ((sentence: string) => void) | undefined
}

export class StunServers {
  readonly #options: StunServersOptions
  readonly #searches: readonly NameSearch[]
  readonly #found: (Endpoint | undefined)[]
  #starting = true

  constructor(options: StunServersOptions) {
    const { addresses, names, onWarning } = options
    this.#options = options
    this.#found = addresses.map(() => undefined)
    this.#searches = addresses.map(
      (address, at) =>
        new NameSearch({
          ...{ names, address },
          needed: () => !options.answered(),
          found: (endpoints) => this.#resolved(at, endpoints),
          failed: (why) => onWarning?.(`STUN server: ${why}.`),
        }),
    )
  }

  /** What is known is asked at once, the others when they are resolved. */
  start(): void {
    for (const search of this.#searches) search.start()
    this.#starting = false
    this.#use()
  }

  close(): void {
    for (const search of this.#searches) search.stop()
  }

  #resolved(at: number, endpoints: readonly Endpoint[]): void {
    const before = this.#found[at]
    const now = endpoints.find((endpoint) => this.#options.reaches(endpoint))
    this.#found[at] = now
    // Should it not answer, the name may lead elsewhere later.
    this.#searches[at]?.again()
    if (this.#starting || (before !== undefined && now !== undefined && sameEndpoint(before, now))) return
    this.#use()
  }

  #use(): void {
    this.#options.use(this.#found.filter((server) => server !== undefined))
  }
}
