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

/** Of records that are longer than `over`. */
interface Row {
  over: number
  /** The newest that was acknowledged. */
  acked: number
  /** Lost ones since, and the first of them. */
  losses: number
  first: number
  /** The newest acknowledged record that is not longer. */
  smaller: number
}

const rowOf = (over: number): Row => ({ over, acked: -1, losses: 0, first: -1, smaller: -1 })

export class SizeEvidence {
  /** By size, ascending, and one of full records, whatever size they have. */
  readonly #rows: Row[]
  #acked = 0
  #lost = 0

  /** @param larger the largest first */
  constructor(base: number, larger: readonly number[]) {
    const sizes = [base, ...larger.toReversed()].slice(0, -1)
    this.#rows = larger.length === 0 ? [] : [...sizes, Number.POSITIVE_INFINITY].map(rowOf)
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
    // Losses that were not for the size are losses by chance.
    const lowest = rows[0]
    if (lowest !== undefined && bytes > lowest.over && number > lowest.first) this.#count(0, lowest.losses)
    for (const row of rows) {
      if (bytes <= row.over) row.smaller = Math.max(row.smaller, number)
      else {
        row.acked = Math.max(row.acked, number)
        if (number > row.first) row.losses = 0
      }
    }
  }

  lost(number: number, bytes: number): void {
    const lowest = this.#rows[0]
    if (lowest === undefined || bytes <= lowest.over || number < lowest.acked) this.#count(0, 1)
    for (const row of this.#rows) {
      if (bytes <= row.over || number < row.acked) continue
      if (row.losses++ === 0) row.first = number
    }
  }

  /** The size is another from now on. */
  startOver(): void {
    for (const row of this.#rows) row.losses = 0
  }

  /** Records are full when they are longer than this, from now on. */
  fullSize(over: number): void {
    if (this.#rows.length > 0) this.#rows[this.#rows.length - 1] = rowOf(over)
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
}
