/**
 * Counters of what a machine did without an event. Each machine has one table of names with a
 * sentence each. Metrics, status pages and docs are generated from the table.
 */

/** The port: a machine counts through it and never reads back. */
export type Count<Name extends string> = (name: Name) => void

export class Counters<Name extends string> {
  readonly #values: Map<Name, number>

  /** @param table names with a sentence each; every one starts at 0. */
  constructor(table: Readonly<Record<Name, string>>) {
    this.#values = new Map((Object.keys(table) as Name[]).map((name) => [name, 0]))
  }

  readonly count: Count<Name> = (name) => {
    this.#values.set(name, this.get(name) + 1)
  }

  get(name: Name): number {
    return this.#values.get(name) ?? 0
  }

  /** All of them as they are now. */
  snapshot(): Record<Name, number> {
    return Object.fromEntries(this.#values) as Record<Name, number>
  }
}
