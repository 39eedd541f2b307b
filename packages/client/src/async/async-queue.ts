/** A queue between a machine's events and `for await`: one reader, no loss, an end. */
export class AsyncQueue<Item> implements AsyncIterableIterator<Item> {
  readonly #taken: (item: Item) => void
  /** Bounded by what fills it: connections by MAX_CONNECTIONS, messages by MAX_UNREAD. */
  readonly #items: Item[] = []
  readonly #readers: ((result: IteratorResult<Item>) => void)[] = []
  #ended = false

  /** @param taken called for each item that a reader takes */
  constructor(taken: (item: Item) => void = () => {}) {
    this.#taken = taken
  }

  /** Items that no reader has taken. */
  get size(): number {
    return this.#items.length
  }

  push(item: Item): void {
    if (this.#ended) return
    const reader = this.#readers.shift()
    if (reader === undefined) this.#items.push(item)
    else {
      this.#taken(item)
      reader({ value: item, done: false })
    }
  }

  /** Readers get the remaining items, then the end. */
  end(): void {
    this.#ended = true
    for (const reader of this.#readers.splice(0)) reader({ value: undefined, done: true })
  }

  next(): Promise<IteratorResult<Item>> {
    const item = this.#items.shift()
    if (item !== undefined) {
      this.#taken(item)
      return Promise.resolve({ value: item, done: false })
    }
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve) => this.#readers.push(resolve))
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
