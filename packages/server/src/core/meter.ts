/**
 * Counts what peers send through a relay, and stops who has used up what it may (docs/protocol.md,
 * Quotas). A binding takes some bytes in advance from its accounts, and from the share of its source, and
 * a frame costs a subtraction and a comparison until they are used up.
 *
 *   frame ─► in what was taken in advance? ─► pass
 *              └─► take more: of the id's, the source's and all's allotments, and of the rate ─► pass, or stop
 */
import { type Instant, rateSource } from '@showchain/client/endpoint'
import type { Permit } from '@showchain/crypto/core'
import { MAX_PROBED_DATAGRAM, type PeerId } from '@showchain/wire'
import type { Binding } from './bindings.ts'
import { FairShare, SourceShare } from './fair-share.ts'
import { accountsOf, type Holder, leftOfPermit, type PermitAccount, type Purse } from './holder.ts'
import type { Quotas } from './quotas.ts'
import { Account, type CalendarDay, calendarDay, type Usage, type UsedBytes } from './usage.ts'

/** Bytes that are taken in advance at most: 45 frames. Who is registered when a relay is killed loses them. */
const IN_ADVANCE = 65_536
/** And of what is left of an allotment. */
const PART_IN_ADVANCE = 1 / 16
const TOTAL = 'total'

/** Why a frame is not passed on: the sender has used up an allotment, or there is more than the rate. */
export type Stop = UsedUp | 'overRate'
/** What is used up. */
type UsedUp = 'overQuota' | 'permitUsedUp'

export interface MeterOptions {
  readonly quotas: Quotas
  readonly unixMs: () => number
  /** Of all together, as it was kept. */
  readonly total?: Usage | undefined
}

export class Meter {
  readonly #unixMs: () => number
  readonly #total: Account
  /** Those of registered peers, and of peers that are about to be. */
  readonly #accounts = new Map<string, Account>()
  readonly #shares = new Map<string, SourceShare>()
  #quotas: Quotas = {}
  #rate: FairShare | undefined
  /** Those that have changed, or may be left. */
  readonly #touched = new Set<Account>()
  /** By row of the binding. */
  readonly #holders: (Holder | undefined)[] = []
  /** By row: bytes that were taken in advance. */
  #ahead = new Float64Array(0)
  #today: CalendarDay

  constructor(options: MeterOptions) {
    const { quotas, total, unixMs } = options
    this.#unixMs = unixMs
    this.#today = calendarDay(unixMs())
    this.#total = new Account(total ?? this.#nothing(TOTAL))
    this.change(quotas)
  }

  /** Other amounts: what was used stays, and what was taken in advance. */
  change(quotas: Quotas): void {
    const { bytesPerSecond } = quotas
    if (bytesPerSecond !== this.#quotas.bytesPerSecond) {
      this.#rate = bytesPerSecond === undefined ? undefined : new FairShare(bytesPerSecond)
      this.#shares.clear()
    }
    this.#quotas = quotas
  }

  /** Accounts in memory beside that of all. */
  get size(): number {
    return this.#accounts.size
  }

  /** Whether there is nothing to be kept or left. */
  get isIdle(): boolean {
    return this.#accounts.size + this.#touched.size === 0
  }

  /** Whether who has used that up is not served at all. */
  endsAt(what: UsedUp): boolean {
    return what === 'permitUsedUp' || this.#quotas.atCap === 'refuse'
  }

  /** What has to be loaded before this peer can be bound. */
  missing(id: PeerId, ip: string, permit: Permit | undefined): readonly string[] {
    return keysOf(id, ip, permit).filter((key) => !this.#accounts.has(key))
  }

  /** What was kept of accounts, or of which nothing was kept. */
  load(keys: readonly string[], kept: readonly Usage[]): void {
    for (const key of keys) {
      if (this.#accounts.has(key)) continue
      const account = new Account(kept.find((usage) => usage.key === key) ?? this.#nothing(key))
      this.#accounts.set(key, account)
      this.#touched.add(account)
    }
  }

  /** Why this peer is not served: less than a frame is left. What it has of accounts is loaded. */
  refuses(id: PeerId, ip: string, permit: Permit | undefined): UsedUp | undefined {
    const [own, shared] = [this.#accounts.get(idKey(id)), this.#accounts.get(sourceKey(ip))]
    if (leftOfPermit(this.#permitOf(permit)) < MAX_PROBED_DATAGRAM) return 'permitUsedUp'
    return this.endsAt('overQuota') && this.#leftOf(own, shared) < MAX_PROBED_DATAGRAM ? 'overQuota' : undefined
  }

  /** A peer was bound, or moved. What it has of accounts is loaded. */
  bound(row: number, { id, source }: Pick<Binding, 'id' | 'source'>, permit: Permit | undefined): void {
    const keys = keysOf(id, source.ip, permit)
    this.load(keys, [])
    const [own, shared] = keys.map((key) => this.#accounts.get(key)) as [Account, Account]
    const shown = this.#permitOf(permit)
    const before = this.#holders[row]
    if (before?.id === own && before.source === shared && before.permit?.account === shown?.account) return
    this.ended(row)
    const holder = { id: own, source: shared, permit: shown }
    for (const account of accountsOf(holder)) account.holders++
    this.#holders[row] = holder
    if (this.#ahead.length <= row) this.#grow(row)
  }

  /** The binding in this row is over: what it took in advance goes back. */
  ended(row: number): void {
    const purse = this.part(row)
    if (purse !== undefined) this.close(purse)
  }

  /** The binding in this row is about to be over, and its peer may go on for a while. The caller closes the purse. */
  part(row: number): Purse | undefined {
    const holder = this.#holders[row]
    if (holder === undefined) return undefined
    const purse = { holder, ahead: this.#ahead[row] as number }
    this.#holders[row] = undefined
    this.#ahead[row] = 0
    return purse
  }

  /** What is left in it goes back. */
  close({ holder, ahead }: Purse): void {
    this.#count(holder, -ahead)
    for (const account of accountsOf(holder)) {
      account.holders--
      this.#touched.add(account)
    }
  }

  /** Whether the peer of this row may send so many bytes; undefined: it may. */
  take(row: number, bytes: number, now: Instant): Stop | undefined {
    let left = (this.#ahead[row] as number) - bytes
    if (left < 0) {
      const holder = this.#holders[row]
      const more = holder === undefined ? 'overQuota' : this.#takeMore(holder, -left, now)
      if (typeof more === 'string') return more
      left += more
    }
    this.#ahead[row] = left
    return undefined
  }

  /** The same of a peer that was bound here. */
  takeOf(purse: Purse, bytes: number, now: Instant): Stop | undefined {
    const need = bytes - purse.ahead
    const more = need > 0 ? this.#takeMore(purse.holder, need, now) : 0
    if (typeof more === 'string') return more
    purse.ahead += more - bytes
    return undefined
  }

  /**
   * Bytes that another node may pass on for the peer of this row: they count from now on. What it does not need
   * comes back by `repaid`.
   * @returns 0 when too little is left
   */
  lend(row: number, wanted: number, now: Instant): number {
    const holder = this.#holders[row]
    if (holder === undefined) return 0
    const left = Math.min(leftOfPermit(holder.permit), this.#leftOf(holder.id, holder.source))
    const most = Math.min(wanted, Math.floor(left * PART_IN_ADVANCE))
    // Less than a frame is of no use there.
    if (most < MAX_PROBED_DATAGRAM) return 0
    const lent =
      this.#rate === undefined ? most : this.#rate.take(this.#shareOf(holder.source), MAX_PROBED_DATAGRAM, most, now)
    this.#count(holder, lent)
    return lent
  }

  /** So many bytes that were lent of the peer of this row were not used. */
  repaid(row: number, bytes: number): void {
    const holder = this.#holders[row]
    if (holder !== undefined) this.#count(holder, -bytes)
  }

  /** So many bytes of these accounts were used by others, who keep them: those in memory know it from now on. */
  usedElsewhere(used: readonly UsedBytes[]): void {
    for (const { key, bytes, day, month } of used) this.#known(key)?.learn(bytes, { day, month })
  }

  #known(key: string): Account | undefined {
    return key === TOTAL ? this.#total : this.#accounts.get(key)
  }

  /** What has changed since the last time, to be kept. Accounts that nobody has any more are left. */
  changes(): readonly Usage[] {
    this.#today = calendarDay(this.#unixMs())
    const changed: Usage[] = []
    for (const account of this.#touched) {
      if (account.changed) changed.push(account.usage)
      account.changed = false
      if (account.holders > 0 || account === this.#total) continue
      this.#accounts.delete(account.key)
      this.#shares.delete(account.key)
    }
    this.#touched.clear()
    return changed
  }

  /** @returns bytes that count from now on: as many as are needed, or more */
  #takeMore(holder: Holder, need: number, now: Instant): Stop | number {
    const permitted = leftOfPermit(holder.permit)
    if (permitted < need) return 'permitUsedUp'
    const left = Math.min(permitted, this.#leftOf(holder.id, holder.source))
    if (left < need) return 'overQuota'
    const most = Math.max(need, Math.min(IN_ADVANCE, Math.floor(left * PART_IN_ADVANCE)))
    const taken = this.#rate === undefined ? most : this.#rate.take(this.#shareOf(holder.source), need, most, now)
    if (taken === 0) return 'overRate'
    this.#count(holder, taken)
    return taken
  }

  #count(holder: Holder, bytes: number): void {
    if (bytes === 0) return
    for (const account of [holder.id, holder.source, this.#total]) {
      account.add(bytes, this.#today)
      this.#touched.add(account)
    }
    const { permit } = holder
    if (permit === undefined) return
    permit.account.add(bytes, permit.until)
    this.#touched.add(permit.account)
  }

  /** What is counted of it, if anything is; it is loaded. */
  #permitOf(permit: Permit | undefined): PermitAccount | undefined {
    if (permit?.bytes === undefined) return undefined
    const account = this.#accounts.get(permitKey(permit))
    return account && { account, until: calendarDay(permit.untilMs), bytes: permit.bytes }
  }

  /** Of the allotment that has least left for this id and source. */
  #leftOf(id: Account | undefined, source: Account | undefined): number {
    const quotas = this.#quotas
    return Math.min(this.#left(id, quotas.id), this.#left(source, quotas.source), this.#left(this.#total, quotas.total))
  }

  #left(account: Account | undefined, allotment: Quotas['id']): number {
    if (allotment === undefined) return Number.POSITIVE_INFINITY
    return account === undefined ? 0 : account.left(allotment, this.#today)
  }

  #shareOf({ key }: Account): SourceShare {
    const known = this.#shares.get(key)
    if (known !== undefined) return known
    const share = new SourceShare()
    this.#shares.set(key, share)
    return share
  }

  #nothing(key: string): Usage {
    return { key, ...this.#today, dayBytes: 0, monthBytes: 0 }
  }

  #grow(row: number): void {
    const larger = new Float64Array(Math.max(2 * this.#ahead.length, row + 1))
    larger.set(this.#ahead)
    this.#ahead = larger
  }
}

/** A permit, as its account has it. */
export const permitKey = ({ number }: Permit): string => `permit:${number}`
const keysOf = (id: PeerId, ip: string, permit: Permit | undefined): readonly string[] => [
  ...[idKey(id), sourceKey(ip)],
  ...(permit?.bytes === undefined ? [] : [permitKey(permit)]),
]
const idKey = (id: PeerId): string => `id:${id}`
const sourceKey = (ip: string): string => `source:${rateSource(ip)}`
