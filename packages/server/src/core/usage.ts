/**
 * What was used of the allotments of one id, one source, or of all: so many bytes on a day and in a
 * month. Another day begins by itself, and so does another month.
 */

/** As it is kept. */
export interface Usage {
  /** `id:…`, `source:…`, `permit:…` or `total`. */
  readonly key: string
  /** Days since 1970, UTC. */
  readonly day: number
  readonly dayBytes: number
  /** Months since 1970, UTC. */
  readonly month: number
  readonly monthBytes: number
}

/** What was used of one account since somebody was told last. */
export interface UsedBytes extends CalendarDay {
  readonly key: string
  /** Negative: what was counted in advance and not used. */
  readonly bytes: number
}

/** A day and the month that it is in. */
export interface CalendarDay {
  readonly day: number
  readonly month: number
}

const DAY_MS = 86_400_000
const MONTHS = 12
/** The calendar repeats itself after 400 years, of so many days. */
const CYCLE_YEARS = 400
const CYCLE_DAYS = 146_097
/** From 1 March of the year 0, which puts a leap day at the end of its year, to 1970. */
const DAYS_BEFORE = 719_468
const YEARS_BEFORE = 1970
/** Days of five months from March on: 31, 30, 31, 30, 31. */
const FIVE_MONTHS = 153
/** From March to the next January. */
const TO_JANUARY = 10

/** The day and month of UTC that a quota counts for. @param unixMs wall clock, in ms */
export function calendarDay(unixMs: number): CalendarDay {
  const day = Math.floor(unixMs / DAY_MS)
  const cycle = Math.floor((day + DAYS_BEFORE) / CYCLE_DAYS)
  const inCycle = day + DAYS_BEFORE - cycle * CYCLE_DAYS
  const leaps = Math.floor(inCycle / 1460) - Math.floor(inCycle / 36_524) + Math.floor(inCycle / 146_096)
  const year = Math.floor((inCycle - leaps) / 365)
  const inYear = inCycle - (365 * year + Math.floor(year / 4) - Math.floor(year / 100))
  const fromMarch = Math.floor((5 * inYear + 2) / FIVE_MONTHS)
  const january = fromMarch >= TO_JANUARY ? 1 : 0
  const month = fromMarch + 2 - january * MONTHS
  return { day, month: (cycle * CYCLE_YEARS + year + january - YEARS_BEFORE) * MONTHS + month }
}

/** What one id, one source, one permit or everybody has used: on one day, and in its month. */
export class Account {
  readonly key: string
  /** Bindings that count here. */
  holders = 0
  /** Whether it has changed since it was kept. */
  changed = false
  #day: number
  #dayBytes: number
  #month: number
  #monthBytes: number

  constructor({ key, day, dayBytes, month, monthBytes }: Usage) {
    this.key = key
    this.#day = day
    this.#dayBytes = dayBytes
    this.#month = month
    this.#monthBytes = monthBytes
  }

  /** Counts what is used now. @param bytes negative: what was counted in advance and not used */
  add(bytes: number, today: CalendarDay): void {
    this.#count(bytes, today)
    this.changed = true
  }

  /** As `add`, of what others keep. What they used on a day that is over here counts for the month that is. */
  learn(bytes: number, on: CalendarDay): void {
    if (on.day >= this.#day) this.#count(bytes, on)
    else this.#monthBytes = Math.max(0, this.#monthBytes + bytes)
  }

  /** Bytes that are left; 0 or less: none. */
  left(
    allotment: { readonly day?: number | undefined; readonly month?: number | undefined },
    today: CalendarDay,
  ): number {
    const { day = Number.POSITIVE_INFINITY, month = Number.POSITIVE_INFINITY } = allotment
    return Math.min(day - this.#onDay(today), month - this.#inMonth(today))
  }

  get usage(): Usage {
    return {
      key: this.key,
      day: this.#day,
      dayBytes: this.#dayBytes,
      month: this.#month,
      monthBytes: this.#monthBytes,
    }
  }

  #count(bytes: number, { day, month }: CalendarDay): void {
    this.#dayBytes = Math.max(0, this.#onDay({ day, month }) + bytes)
    this.#monthBytes = Math.max(0, this.#inMonth({ day, month }) + bytes)
    this.#day = day
    this.#month = month
  }

  #onDay({ day }: CalendarDay): number {
    return day === this.#day ? this.#dayBytes : 0
  }

  #inMonth({ month }: CalendarDay): number {
    return month === this.#month ? this.#monthBytes : 0
  }
}
