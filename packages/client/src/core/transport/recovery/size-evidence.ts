/**
 * What became of the records of a path, by size: whether losses are those of a narrow path, or of
 * chance. Loss that is as likely at every size says nothing about the size (RFC 9000 §14.3, RFC
 * 8899 §4.3). A path is narrower than a size when both hold:
 *
 * 1. more records of that size and above were lost in a row than the loss of the path explains;
 * 2. a smaller record that left after the first of them was acknowledged.
 */

/** Loss explains what happens to more than this share of all records. */
const CHANCE = 0.01
/** The same for records that carry data: there are many, and each may be the first of a row. */
const CHANCE_OF_A_ROW = 0.001
/** RFC 8899 §5.1.2, MAX_PROBES: so many in a row at least. */
const FEWEST_IN_A_ROW = 3
/** More loss than this explains nothing: the number of losses in a row stays bounded. */
const MOST_LOSS = 0.5
/** The share of losses is that of about so many records. */
const MEMORY = 256

/** Of one size and those above it. */
interface Row {
  /** The newest that was acknowledged. */
  acked: number
  /** Lost ones since, and the first of them. */
  losses: number
  first: number
  /** The newest acknowledged record of a smaller size. */
  smaller: number
}

export class SizeEvidence {
  /** Ascending. Records up to the first one are of size class 0. */
  readonly #sizes: readonly number[]
  /** Of size class 1 and above. */
  readonly #rows: Row[]
  #acked = 0
  #lost = 0

  /** @param larger the largest first */
  constructor(base: number, larger: readonly number[]) {
    this.#sizes = [base, ...larger.toReversed()]
    this.#rows = larger.map(() => ({ acked: -1, losses: 0, first: -1, smaller: -1 }))
  }

  /** So many probes of a size in a row are lost by chance; one more is lost for its size. */
  get probesLostByChance(): number {
    return this.#inARow(CHANCE) - 1
  }

  /** Whether records are lost for their size. */
  get narrower(): boolean {
    const enough = Math.max(FEWEST_IN_A_ROW, this.#inARow(CHANCE_OF_A_ROW))
    return this.#rows.some(({ losses, smaller, first }) => losses >= enough && smaller > first)
  }

  acked(number: number, bytes: number): void {
    this.#count(1, 0)
    const rows = this.#rows
    const class_ = this.#classOf(bytes)
    // Losses that were not for the size are losses by chance.
    const lowest = rows[0]
    if (class_ > 0 && lowest !== undefined && number > lowest.first) this.#count(0, lowest.losses)
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index] as Row
      if (index >= class_) row.smaller = Math.max(row.smaller, number)
      else {
        row.acked = Math.max(row.acked, number)
        if (number > row.first) row.losses = 0
      }
    }
  }

  lost(number: number, bytes: number): void {
    const class_ = this.#classOf(bytes)
    const lowest = this.#rows[0]
    if (class_ === 0 || lowest === undefined || number < lowest.acked) this.#count(0, 1)
    for (let index = 0; index < class_; index++) {
      const row = this.#rows[index] as Row
      if (number < row.acked) continue
      if (row.losses++ === 0) row.first = number
    }
  }

  /** The size is another from now on. */
  startOver(): void {
    for (const row of this.#rows) row.losses = 0
  }

  #inARow(chance: number): number {
    const settled = this.#acked + this.#lost
    if (this.#lost === 0) return 1
    return Math.ceil(Math.log(chance) / Math.log(Math.min(this.#lost / settled, MOST_LOSS)))
  }

  #count(acked: number, lost: number): void {
    this.#acked += acked
    this.#lost += lost
    if (this.#acked + this.#lost <= MEMORY) return
    this.#acked /= 2
    this.#lost /= 2
  }

  #classOf(bytes: number): number {
    const found = this.#sizes.findIndex((size) => bytes <= size)
    return found === -1 ? this.#rows.length : found
  }
}
