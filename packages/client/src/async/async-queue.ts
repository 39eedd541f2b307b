/**
 * A queue between a machine's events and `for await`: no loss, an end. Where it has several readers,
 * each item goes to the one that wants it and asked first.
 */
export class AsyncQueue<Item extends object> {
  /** Bounded by what fills it: connections by MAX_CONNECTIONS, messages by MAX_UNREAD. */
  readonly #items: Item[] = []
  /** Reads that wait, oldest first. */
  readonly #waiting = new Map<(item: Item | undefined) => void, Wants<Item>>()
  #ended = false

  /** Items that no reader has taken. */
  get size(): number {
    return this.#items.length
  }

  push(item: Item): void {
    if (this.#ended) return
    for (const [waiting, wants] of this.#waiting) if (wants(item)) return waiting(item)
    this.#items.push(item)
  }

  /** Readers get the remaining items, then the end. */
  end(): void {
    this.#ended = true
    for (const waiting of [...this.#waiting.keys()]) waiting(undefined)
  }

  /**
   * @param taken called for each item that the reader takes
   * @param wants whether an item is for this reader
   */
  reader(taken: (item: Item) => void = () => {}, wants: Wants<Item> = () => true): QueueReader<Item> {
    return new QueueReader(this, taken, wants)
  }

  /** The next item; the end. Undefined: nothing yet. */
  take(wants: Wants<Item>): Item | 'ended' | undefined {
    const index = this.#items.findIndex(wants)
    if (index === 0) return this.#items.shift()
    if (index > 0) return this.#items.splice(index, 1)[0]
    return this.#ended ? 'ended' : undefined
  }

  /**
   * Calls back once, with the next item or undefined at the end.
   * @returns gives up: calls back with undefined
   */
  wait(wants: Wants<Item>, done: (item: Item | undefined) => void): () => void {
    const waiting = (item: Item | undefined): void => {
      if (this.#waiting.delete(waiting)) done(item)
    }
    this.#waiting.set(waiting, wants)
    return () => waiting(undefined)
  }
}

type Wants<Item> = (item: Item) => boolean

export class QueueReader<Item extends object> implements AsyncIterableIterator<Item> {
  readonly #queue: AsyncQueue<Item>
  readonly #taken: (item: Item) => void
  readonly #wants: Wants<Item>
  /** Of the reads that wait. */
  readonly #giveUps = new Set<() => void>()
  #closed = false

  /** @internal Readers come from `AsyncQueue.reader`. */
  constructor(queue: AsyncQueue<Item>, taken: (item: Item) => void, wants: Wants<Item>) {
    this.#queue = queue
    this.#taken = taken
    this.#wants = wants
  }

  next(): Promise<IteratorResult<Item>> {
    return new Promise((resolve) => {
      this.read((value) => resolve(value === undefined ? { value, done: true } : { value, done: false }))
    })
  }

  /**
   * Calls back once, with the next item or undefined at the end.
   * @returns gives up: calls back with undefined
   */
  read(done: (item: Item | undefined) => void): () => void {
    const found = this.#closed ? 'ended' : this.#queue.take(this.#wants)
    if (found !== undefined) {
      done(this.#take(found))
      return () => {}
    }
    const giveUp = this.#queue.wait(this.#wants, (item) => {
      this.#giveUps.delete(giveUp)
      done(this.#take(item ?? 'ended'))
    })
    this.#giveUps.add(giveUp)
    return giveUp
  }

  /** It ends, for this reader; what is left is for the others. */
  close(): void {
    this.#closed = true
    for (const giveUp of [...this.#giveUps]) giveUp()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #take(found: Item | 'ended'): Item | undefined {
    if (found === 'ended') return undefined
    this.#taken(found)
    return found
  }
}
