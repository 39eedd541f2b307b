import { quote, ShowchainError } from '@showchain/wire'

/** Listeners by event name, typed by a map of names to arguments. */
export class Listeners<Events extends Record<keyof Events, readonly unknown[]>> {
  readonly #byName: { [Name in keyof Events]?: Set<(...args: Events[Name]) => void> } = {}

  readonly #names: readonly (keyof Events)[]

  constructor(...names: readonly (keyof Events)[]) {
    this.#names = names
  }

  /**
   * @returns a function that removes the listener
   * @throws ShowchainError `ERR_BAD_ARGUMENT`
   */
  on<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): () => void {
    if (!this.#names.includes(name))
      throw new ShowchainError('ERR_BAD_ARGUMENT', `There is no event ${quote(name)}: ${this.#names.join(', ')}.`)
    if (typeof listener !== 'function')
      throw new ShowchainError('ERR_BAD_ARGUMENT', `A listener is a function, not ${quote(listener)}.`)
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
