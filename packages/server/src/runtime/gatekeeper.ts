/**
 * Answers the questions of a relay's machine: whether a peer may use it, by what the application says, and
 * what it has used so far, by what is kept. Writes what was used.
 */
import type { Applicant, RelayEvent, Usage, Verdict } from '../core/index.ts'
import type { UsageStore } from './usage-store.ts'

type Applied = Extract<RelayEvent, { type: 'applied' }>

type Access = (applicant: Applicant) => boolean | Promise<boolean>

export interface GatekeeperOptions {
  readonly store: UsageStore
  readonly answer: (applied: Applied, verdict: Verdict, usage: readonly Usage[]) => void
  readonly onWarning: ((sentence: string) => void) | undefined
}

export class Gatekeeper {
  /** Undefined: everyone may use the relay. */
  access: Access | undefined
  readonly #options: GatekeeperOptions
  /** What is being written: it is read from here until it is. */
  readonly #writing = new Map<string, Usage>()
  #written: Promise<void> = Promise.resolve()

  constructor(access: Access | undefined, options: GatekeeperOptions) {
    this.access = access
    this.#options = options
  }

  applied(applied: Applied): void {
    this.#decide(applied).then(
      ({ verdict, usage }) => this.#options.answer(applied, verdict, usage),
      // Who cannot decide has let nobody in.
      () => this.#options.answer(applied, 'undecided', []),
    )
  }

  /** Written one after the other. What could not be written is written with what follows. */
  used(usage: readonly Usage[]): void {
    for (const each of usage) this.#writing.set(each.key, each)
    this.#written = this.#written.then(() => this.#write())
  }

  /** When everything is written that was used. */
  settled(): Promise<void> {
    return this.#written
  }

  async #decide({ id, at, granted, missing }: Applied): Promise<{ verdict: Verdict; usage: readonly Usage[] }> {
    const { access } = this
    if (!granted && access !== undefined && (await access({ id, at })) !== true)
      return { verdict: 'refused', usage: [] }
    return { verdict: 'allowed', usage: await this.#read(missing) }
  }

  async #read(keys: readonly string[]): Promise<readonly Usage[]> {
    const fresh = keys.flatMap((key) => this.#writing.get(key) ?? [])
    const others = keys.filter((key) => !this.#writing.has(key))
    return others.length === 0 ? fresh : [...fresh, ...(await this.#options.store.read(others))]
  }

  async #write(): Promise<void> {
    const usage = [...this.#writing.values()]
    try {
      await this.#options.store.write(usage)
      for (const each of usage) if (this.#writing.get(each.key) === each) this.#writing.delete(each.key)
    } catch (error) {
      this.#options.onWarning?.(`what was used of quotas could not be written: ${(error as Error).message}`)
    }
  }
}
