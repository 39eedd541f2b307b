/**
 * A queue between a machine's events and `for await`: no loss, an end. Where it has several readers,
 * each item goes to the one that asked first.
 */
export class AsyncQueue<Item extends object> {
  /** Bounded by what fills it: connections by MAX_CONNECTIONS, messages by MAX_UNREAD. */
  readonly #items: Item[] = []
  /** Reads that wait, oldest first. */
  readonly #waiting = new Set<(item: Item | undefined) => void>()
  #ended = false

  /** Items that no reader has taken. */
  get size(): number {
    return this.#items.length
  }

  push(item: Item): void {
    if (this.#ended) return
    for (const waiting of this.#waiting) return waiting(item)
    this.#items.push(item)
  }

  /** Readers get the remaining items, then the end. */
  end(): void {
    this.#ended = true
    for (const waiting of [...this.#waiting]) waiting(undefined)
  }

  /** @param taken called for each item that the reader takes */
  reader(taken: (item: Item) => void = () => {}): QueueReader<Item> {
    return new QueueReader(this, taken)
  }

  /** The next item; the end. Undefined: nothing yet. */
  take(): Item | 'ended' | undefined {
    return this.#items.shift() ?? (this.#ended ? 'ended' : undefined)
  }

  /**
   * Calls back once, with the next item or undefined at the end.
   * @returns gives up: calls back with undefined
   */
  wait(done: (item: Item | undefined) => void): () => void {
    const waiting = (item: Item | undefined): void => {
      if (this.#waiting.delete(waiting)) done(item)
    }
    this.#waiting.add(waiting)
    return () => waiting(undefined)
  }
}

export class QueueReader<Item extends object> implements AsyncIterableIterator<Item> {
  readonly #queue: AsyncQueue<Item>
  readonly #taken: (item: Item) => void
  /** Of the reads that wait. */
  readonly #giveUps = new Set<() => void>()
  #closed = false

  /** @internal Readers come from `AsyncQueue.reader`. */
  constructor(queue: AsyncQueue<Item>, taken: (item: Item) => void) {
    this.#queue = queue
    this.#taken = taken
  }

  next(): Promise<IteratorResult<Item>> {
    const found = this.#closed ? 'ended' : this.#queue.take()
    if (found !== undefined) return Promise.resolve(this.#result(found))
    return new Promise((resolve) => {
      const giveUp = this.#queue.wait((item) => {
        this.#giveUps.delete(giveUp)
        resolve(this.#result(item ?? 'ended'))
      })
      this.#giveUps.add(giveUp)
    })
  }

  /** It ends, for this reader; what is left is for the others. */
  close(): void {
    this.#closed = true
    for (const giveUp of [...this.#giveUps]) giveUp()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #result(found: Item | 'ended'): IteratorResult<Item> {
    if (found === 'ended') return { value: undefined, done: true }
    this.#taken(found)
    return { value: found, done: false }
  }
}
