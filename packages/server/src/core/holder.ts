/** Where what a peer sends is counted. */
import type { Account, CalendarDay } from './usage.ts'

export interface Holder {
  readonly id: Account
  readonly source: Account
  /** Undefined: it is here without one, or with one for any number of bytes. */
  readonly permit: PermitAccount | undefined
}

/** A permit has one allotment, of the day on which it ends: what was used of it is forgotten later. */
export interface PermitAccount {
  readonly account: Account
  readonly until: CalendarDay
  readonly bytes: number
}

/** Of a peer that was bound here, and still sends: how many bytes were taken in advance. */
export interface Purse {
  readonly holder: Holder
  ahead: number
}

export const accountsOf = ({ id, source, permit }: Holder): readonly Account[] =>
  permit === undefined ? [id, source] : [id, source, permit.account]
export const leftOfPermit = (permit: PermitAccount | undefined): number =>
  permit === undefined ? Number.POSITIVE_INFINITY : permit.account.left({ month: permit.bytes }, permit.until)
