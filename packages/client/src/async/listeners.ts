/** Listeners by event name, typed by a map of names to arguments. */
export class Listeners<Events extends Record<keyof Events, readonly unknown[]>> {
  readonly #byName: { [Name in keyof Events]?: Set<(...args: Events[Name]) => void> } = {}

  /** @returns a function that removes the listener */
  on<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): () => void {
    const listeners = this.#byName[name] ?? new Set<(...args: Events[Name]) => void>()
    this.#byName[name] = listeners
    listeners.add(listener)
    return () => {
      listeners.delete(listener)
    }
  }

  emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    for (const listener of this.#byName[name] ?? []) listener(...args)
  }
}
