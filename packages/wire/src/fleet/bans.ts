/** Items of a message between nodes that are about bans (docs/fleet.md, Bans). */
import { readU64, writeU64 } from '../bytes.ts'
import { counterKind } from '../kinds.ts'
import { fromUtf8, utf8 } from '../utf8.ts'

/** Of whom a ban is: visible characters of ASCII. */
export const FLEET_BAN_OF: RegExp = /^[!-~]{2,64}$/
/** In place of the time when a ban ends: never. */
const NO_END = Number.MAX_SAFE_INTEGER
/** Bytes in front of whom it is of. */
const TIMES_BYTES = 16
/** In 5 s two nodes would have to have 2^32 lists each to find two that differ and look the same. */
export const FLEET_BANS_DIGEST_BYTES = 8

/** Somebody is banned, or no longer: of what is said of one the newest counts. */
export interface FleetBan {
  readonly kind: 'ban'
  /** 2 to 64 characters of ASCII that are visible. */
  readonly who: string
  /** When it ends, Unix milliseconds; undefined: never. One that has ended takes an earlier one back. */
  readonly until?: number | undefined
  /** When it was said. */
  readonly at: number
}

/** What is the same where the same bans hold. */
export interface FleetBans {
  readonly kind: 'bans'
  /** 8 bytes. */
  readonly digest: Uint8Array
}

export const banItemLength = (item: FleetBan | FleetBans): number =>
  item.kind === 'bans' ? FLEET_BANS_DIGEST_BYTES : TIMES_BYTES + item.who.length

/** @returns the position after it */
export function writeBanItem(out: Uint8Array, at: number, item: FleetBan | FleetBans): number {
  if (item.kind === 'bans') out.set(item.digest, at)
  else out.set(utf8(item.who), writeU64(out, writeU64(out, at, item.at), item.until ?? NO_END))
  return at + banItemLength(item)
}

/** Undefined: it is malformed. */
export function readBan(bytes: Uint8Array): FleetBan | undefined {
  if (counterKind.end(bytes, 0) === -1 || counterKind.end(bytes, 8) === -1) return undefined
  const [said, until] = [readU64(bytes, 0), readU64(bytes, 8)]
  const who = fromUtf8(bytes.subarray(TIMES_BYTES))
  if (who === undefined || !FLEET_BAN_OF.test(who)) return undefined
  return { kind: 'ban', who, until: until === NO_END ? undefined : until, at: said }
}

export const readBans = (digest: Uint8Array): FleetBans | undefined =>
  digest.length === FLEET_BANS_DIGEST_BYTES ? { kind: 'bans', digest } : undefined
