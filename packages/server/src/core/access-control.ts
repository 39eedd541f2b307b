/** Everything that decides who may use a relay, and how much: everyone, and as much as they want, unless it is told. */
import type { Instant } from '@showchain/client/endpoint'
import type { PeerId } from '@showchain/wire'
import { AccessGate } from './access-gate.ts'
import { type Ban, type BanRecord, Bans, checkedBan, isOver } from './bans.ts'
import type { Binding, Bindings } from './bindings.ts'
import { Meter } from './meter.ts'
import { checkedQuotas } from './quotas.ts'
import type { RelayContext } from './relay-context.ts'
import type { RelayOptions } from './relay-options.ts'
import { Toll } from './toll.ts'

export class AccessControl {
  readonly gate: AccessGate
  /** Undefined: there are neither quotas nor permits. */
  readonly meter: Meter | undefined
  readonly toll: Toll | undefined
  readonly #context: RelayContext

  readonly bans: Bans = new Bans()
  readonly #bindings: Bindings
  readonly #unixMs: () => number
  readonly #told: (record: BanRecord) => void

  /** @param told is called with what is said of bans here, for other nodes */
  constructor(
    context: RelayContext,
    bindings: Bindings,
    {
      asks = false,
      permits,
      quotas,
      total,
      unixMs,
    }: Pick<RelayOptions, 'asks' | 'permits' | 'quotas' | 'total' | 'unixMs'>,
    told: (record: BanRecord) => void = () => {},
  ) {
    this.#context = context
    this.#bindings = bindings
    this.#unixMs = unixMs
    this.#told = told
    const counts = quotas !== undefined || permits !== undefined
    this.meter = counts ? new Meter({ quotas: checkedQuotas(quotas ?? {}), unixMs, total }) : undefined
    this.toll = this.meter && new Toll(context, bindings, this.meter)
    this.gate = new AccessGate(context, { bindings, meter: this.meter, asks, permits, bans: this.bans, unixMs })
  }

  /** @returns false when there are too many bans. @throws ShowchainError as `checkedBan` */
  ban(ban: Ban): boolean {
    return this.#say(this.bans.add(checkedBan(ban), this.#unixMs()))
  }

  /** @returns whether there was such a ban */
  unban(who: string): boolean {
    return this.#say(this.bans.remove(who, this.#unixMs()))
  }

  /** What was said before, or to another process of this node: other nodes hear it, too. */
  learnBans(records: readonly BanRecord[]): void {
    for (const record of records) if (this.learnBan(checkedBan(record))) this.#told(record)
  }

  /** What another node says. @returns whether it is news */
  learnBan(record: BanRecord): boolean {
    const isNews = this.bans.learn(record, this.#unixMs())
    if (isNews) this.#changed(record)
    return isNews
  }

  get banRecords(): readonly BanRecord[] {
    this.bans.expire(this.#unixMs())
    return this.bans.records
  }

  /** The same at nodes with the same bans. */
  bansDigest(): Uint8Array {
    return this.bans.digest(this.#context.provider.sha256)
  }

  #say(record: BanRecord | undefined): boolean {
    if (record === undefined) return false
    this.#changed(record)
    this.#told(record)
    return true
  }

  /** Of a ban registered peers hear within 10 s. */
  #changed(record: BanRecord): void {
    if (!isOver(record, this.#unixMs())) this.gate.change()
    this.#context.outbox.event({ type: 'banned', ...record })
  }

  /** Ends the registration of a peer, which may come again. @returns whether there was one */
  kick(id: PeerId, now: Instant): boolean {
    const binding = this.#bindings.get(id, now)
    if (binding !== undefined) this.gate.end(binding, now)
    return binding !== undefined
  }

  /** Registered peers in so many rows, and the row to go on with; undefined: there are no more. */
  page(
    from: number,
    rows: number,
    now: Instant,
  ): { readonly bindings: readonly Binding[]; readonly next: number | undefined } {
    const next = from + rows
    return { bindings: this.#bindings.page(from, rows, now), next: next < this.#bindings.rows ? next : undefined }
  }

  get isIdle(): boolean {
    return this.gate.size + (this.toll?.size ?? 0) === 0 && this.meter?.isIdle !== false
  }

  expire(now: Instant): void {
    this.gate.expire(now)
    this.toll?.expire(now)
    this.keepUsage()
  }

  /** What was used since the last time is told, to be kept. */
  keepUsage(): void {
    const usage = this.meter?.changes() ?? []
    if (usage.length > 0) this.#context.outbox.event({ type: 'used', usage })
  }
}
