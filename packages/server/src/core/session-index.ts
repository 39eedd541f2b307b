/**
 * Rows by the number in a session's id (`idKey`): a hash table of pairs of integers, number and row,
 * that lies in one block of memory. The numbers are random already, and no two sessions have the
 * same one.
 */
import { NONE } from './expiring-rows.ts'

/** A power of two. */
const FIRST_PLACES = 64

export class SessionIndex {
  /** Number, and row + 1: 0 is no row. At most half of the places are taken. */
  #pairs = new Int32Array(2 * FIRST_PLACES)
  #mask = FIRST_PLACES - 1
  #size = 0

  /** The row, or NONE. */
  get(key: number): number {
    return (this.#pairs[2 * this.#placeOf(key) + 1] as number) - 1
  }

  /** @param key one that has no row */
  set(key: number, row: number): void {
    if (2 * ++this.#size > this.#mask) this.#grow()
    this.#put(this.#placeOf(key), key, row)
  }

  delete(key: number): void {
    let hole = this.#placeOf(key)
    if (this.#rowAt(hole) === NONE) return
    this.#size--
    // What stands behind it and belongs before it moves up: no look-up ends too early.
    for (let place = this.#after(hole); this.#rowAt(place) !== NONE; place = this.#after(place)) {
      const behind = (place - this.#keyAt(place)) & this.#mask
      if (behind < ((place - hole) & this.#mask)) continue
      this.#put(hole, this.#keyAt(place), this.#rowAt(place))
      hole = place
    }
    this.#put(hole, 0, NONE)
  }

  /** Where it stands, or where there is room for it. */
  #placeOf(key: number): number {
    let place = key & this.#mask
    while (this.#rowAt(place) !== NONE && this.#keyAt(place) !== key) place = this.#after(place)
    return place
  }

  #after(place: number): number {
    return (place + 1) & this.#mask
  }

  #keyAt(place: number): number {
    return this.#pairs[2 * place] as number
  }

  #rowAt(place: number): number {
    return (this.#pairs[2 * place + 1] as number) - 1
  }

  #put(place: number, key: number, row: number): void {
    this.#pairs[2 * place] = key
    this.#pairs[2 * place + 1] = row + 1
  }

  #grow(): void {
    const before = this.#pairs
    this.#pairs = new Int32Array(2 * before.length)
    this.#mask = before.length - 1
    for (let at = 0; at < before.length; at += 2) {
      const [key, row] = [before[at] as number, (before[at + 1] as number) - 1]
      if (row !== NONE) this.#put(this.#placeOf(key), key, row)
    }
  }
}
