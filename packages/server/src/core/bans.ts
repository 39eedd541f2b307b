/**
 * Who may not use a relay, whatever else is decided: ids, sources (an IPv4 address, an IPv6 /64), and who
 * shows a permit of this number. What was said last of somebody counts, at whichever node of a fleet
 * (docs/fleet.md, Bans): so a ban that was taken back is remembered for a while, too.
 */
import { rateSource } from '@showchain/client/endpoint'
import { type PeerId, ShowchainError, utf8 } from '@showchain/wire'
import { FLEET_BAN_OF, FLEET_BANS_DIGEST_BYTES } from '@showchain/wire/fleet'

/** Somebody who may not use a relay. */
export interface Ban {
  /** An id, a source as limits name it, or `permit:` and the number of one. */
  readonly who: string
  /** Unix time in ms when it ends; undefined: never. */
  readonly until?: number | undefined
}

/** What was said last of somebody. One that ended before it was said takes an earlier ban back. */
export interface BanRecord extends Ban {
  /** When it was said, Unix time in ms. */
  readonly at: number
}

/** @throws ShowchainError `ERR_BAD_CONFIG` for what cannot be said to other nodes */
export function checkedBan<Kind extends Ban & { readonly at?: number }>(ban: Kind): Kind {
  const { who, until, at } = ban
  const times = [until, at].filter((time) => time !== undefined)
  if (FLEET_BAN_OF.test(who) && times.every((time) => Number.isSafeInteger(time) && time >= 0)) return ban
  throw new ShowchainError(
    'ERR_BAD_CONFIG',
    'A ban is of an id, an address or a permit, and ends at a Unix time in ms.',
  )
}

/** Bans at a time. */
export const MAX_BANS = 10_000
/** As several nodes may ban somebody at once, that many are heard of. */
const MAX_HEARD = 11_000
/** Bans that were taken back and are remembered: the newest. A node that was away longer brings others back. */
const MAX_LIFTED = 1000
/** Milliseconds that they are remembered. */
const LIFTED_LIFETIME = 32 * 86_400_000

/** What a relay knows of bans, its own and those it heard of. */
export class Bans {
  readonly #held = new Map<string, BanRecord>()
  readonly #lifted = new Map<string, BanRecord>()
  #digest: Uint8Array | undefined

  get list(): readonly Ban[] {
    return [...this.#held.values()].map(({ who, until }) => ({ who, until }))
  }

  /** With those that were taken back. */
  get records(): readonly BanRecord[] {
    return [...this.#held.values(), ...this.#lifted.values()]
  }

  /** @returns undefined when there are too many */
  add({ who, until }: Ban, unixMs: number): BanRecord | undefined {
    if (this.#held.size >= MAX_BANS && !this.#held.has(who)) return undefined
    return this.#put({ who, until, at: this.#next(who, unixMs) }, unixMs)
  }

  /** @returns undefined when there was none */
  remove(who: string, unixMs: number): BanRecord | undefined {
    if (!this.#held.has(who)) return undefined
    return this.#put({ who, until: 0, at: this.#next(who, unixMs) }, unixMs)
  }

  /** What was said elsewhere, or before. @returns whether it is news */
  learn(record: BanRecord, unixMs: number): boolean {
    const known = this.#of(record.who)
    if (known === undefined ? !this.#hasRoomFor(record, unixMs) : !isNewer(record, known)) return false
    this.#put(record, unixMs)
    return true
  }

  /** Whether this id, or the source of this address, is banned. */
  has(id: PeerId, ip: string, unixMs: number): boolean {
    return this.#held.size > 0 && (this.#isBanned(id, unixMs) || this.#isBanned(rateSource(ip), unixMs))
  }

  /** Whether nobody may show this permit. @param permit as accounts name it */
  hasPermit(permit: string, unixMs: number): boolean {
    return this.#held.size > 0 && this.#isBanned(permit, unixMs)
  }

  /** Forgets what is over. */
  expire(unixMs: number): void {
    for (const who of this.#held.keys()) this.#isBanned(who, unixMs)
    for (const [who, { at }] of this.#lifted) if (at + LIFTED_LIFETIME <= unixMs) this.#lifted.delete(who)
  }

  /** The same where the same bans hold. */
  digest(sha256: (bytes: Uint8Array) => Uint8Array): Uint8Array {
    this.#digest ??= sha256(utf8(textOf(this.#held.values()))).subarray(0, FLEET_BANS_DIGEST_BYTES)
    return this.#digest
  }

  #of(who: string): BanRecord | undefined {
    return this.#held.get(who) ?? this.#lifted.get(who)
  }

  /** Later than what was said before, whatever clock said when. */
  #next(who: string, unixMs: number): number {
    return Math.max(unixMs, (this.#of(who)?.at ?? 0) + 1)
  }

  #hasRoomFor(record: BanRecord, unixMs: number): boolean {
    if (!isOver(record, unixMs)) return this.#held.size < MAX_HEARD
    // One that has ended by itself is of no use to anybody.
    return endOf(record) <= record.at && record.at + LIFTED_LIFETIME > unixMs
  }

  #put(record: BanRecord, unixMs: number): BanRecord {
    const { who } = record
    this.#digest = undefined
    this.#lifted.delete(who)
    if (!isOver(record, unixMs)) this.#held.set(who, record)
    else {
      this.#held.delete(who)
      this.#lifted.set(who, record)
      if (this.#lifted.size > MAX_LIFTED) this.#lifted.delete(this.#lifted.keys().next().value as string)
    }
    return record
  }

  /** One that is over is forgotten. */
  #isBanned(who: string, unixMs: number): boolean {
    const record = this.#held.get(who)
    if (record === undefined) return false
    if (!isOver(record, unixMs)) return true
    this.#held.delete(who)
    this.#digest = undefined
    return false
  }
}

export const isOver = ({ until }: Ban, unixMs: number): boolean => until !== undefined && until <= unixMs
const endOf = ({ until = Number.POSITIVE_INFINITY }: Ban): number => until
/** Of two that were said at once the longer one counts, at all nodes. */
const isNewer = (one: BanRecord, other: BanRecord): boolean =>
  one.at === other.at ? endOf(one) > endOf(other) : one.at > other.at
const textOf = (records: Iterable<BanRecord>): string =>
  [...records]
    .map(({ who, until, at }) => `${who} ${until ?? ''} ${at}`)
    .sort()
    .join('\n')
