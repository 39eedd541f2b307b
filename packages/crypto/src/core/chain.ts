/**
 * Items in the order in which they were put at the end. A `Map` has that order too, but what was deleted at
 * its front stays there as a hole until it is made anew, and each look for the oldest walks over the holes: in
 * a table of 500,000 that a flood keeps full, half a millisecond for each new key.
 */

/** What an item of a chain has: it is in one at most, which alone changes this. */
export interface Link<Item> {
  before: Item | undefined
  after: Item | undefined
}

/** Of nothing else: the items know their neighbours. */
export class Chain<Item extends Link<Item>> {
  #oldest: Item | undefined
  #newest: Item | undefined

  get oldest(): Item | undefined {
    return this.#oldest
  }

  /** At the end. @param item in no chain */
  add(item: Item): void {
    item.before = this.#newest
    item.after = undefined
    if (this.#newest === undefined) this.#oldest = item
    else this.#newest.after = item
    this.#newest = item
  }

  /** Takes it out. @param item of this chain */
  remove(item: Item): void {
    const { before, after } = item
    if (before === undefined) this.#oldest = after
    else before.after = after
    if (after === undefined) this.#newest = before
    else after.before = before
    item.before = undefined
    item.after = undefined
  }
}
