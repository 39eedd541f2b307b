/**
 * Bans are those of the whole fleet (docs/fleet.md, Bans). What an operator says at one node is told to all. Each
 * says with its status what its bans look like, and who has others is told all that this one has.
 */
import { sameBytes } from '@showchain/crypto/core'
import type { FleetAddress, FleetBan, FleetBans, FleetItem } from '@showchain/wire/fleet'
import type { BanRecord } from '../bans.ts'

/** The bans of this node. */
export interface SharedBans {
  readonly banRecords: readonly BanRecord[]
  bansDigest(): Uint8Array
  learnBan(record: BanRecord): boolean
}

export class BanSharing {
  readonly #access: SharedBans
  readonly #post: (to: FleetAddress, item: FleetItem) => void

  constructor(access: SharedBans, post: (to: FleetAddress, item: FleetItem) => void) {
    this.#access = access
    this.#post = post
  }

  /** For the status of this node. */
  get digest(): FleetItem {
    return { kind: 'bans', digest: this.#access.bansDigest() }
  }

  /** It was said here. */
  tell(record: BanRecord, to: FleetAddress = 'all'): void {
    this.#post(to, { kind: 'ban', ...record })
  }

  /** @param from undefined: it is not known to be there */
  heard(item: FleetBan | FleetBans, from: number | undefined): void {
    if (item.kind === 'ban') this.#access.learnBan({ who: item.who, until: item.until, at: item.at })
    else if (from !== undefined && !sameBytes(item.digest, this.#access.bansDigest()))
      for (const record of this.#access.banRecords) this.tell(record, from)
  }
}
