/**
 * Counters of what a machine did without an event. Each machine has one table of names with a
 * sentence each. Metrics, status pages and docs are generated from the table.
 */

/** The port: a machine counts through it and never reads back. */
export type Count<Name extends string> = (name: Name) => void

export class Counters<Name extends string> {
  /** Of objects: to count is one look-up. */
  readonly #values: Map<Name, { value: number }>

  /** @param table names with a sentence each; every one starts at 0. */
  constructor(table: Readonly<Record<Name, string>>) {
    this.#values = new Map((Object.keys(table) as Name[]).map((name) => [name, { value: 0 }]))
  }

  readonly count: Count<Name> = (name) => {
    const counter = this.#values.get(name)
    if (counter !== undefined) counter.value++
  }

  get(name: Name): number {
    return this.#values.get(name)?.value ?? 0
  }

  /** All of them as they are now. */
  snapshot(): Record<Name, number> {
    return Object.fromEntries([...this.#values].map(([name, { value }]) => [name, value])) as Record<Name, number>
  }
}
