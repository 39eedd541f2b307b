/**
 * Messages to and from the other nodes (docs/fleet.md, Messages). What one input makes for one place
 * is one message with one tag. What comes is read in this order: length → version → for us? → tag →
 * time → items.
 */
import { type CryptoProvider, type Random, sameBytes } from '@showchain/crypto/core'
import { utf8 } from '@showchain/wire'
import {
  FLEET_TAG_BYTES,
  type FleetAddress,
  type FleetHeader,
  type FleetItem,
  FleetWriter,
  fleetSigned,
  fleetTag,
  readFleetHeader,
  readFleetItems,
} from '@showchain/wire/fleet'
import type { FleetMessage } from '../events.ts'

/** docs/fleet.md, Messages: how far the clocks of two nodes may be apart, and how long a message may take. */
const TIME_TOLERANCE = 30_000
/** docs/fleet.md, Messages: of the number of a process. */
const LIFE_BYTES = 4
/** docs/fleet.md, The secret: one key for each purpose. */
const MESSAGES_LABEL = utf8('SHOWCHAIN-P2P-v1 fleet messages')
const TOKENS_LABEL = utf8('SHOWCHAIN-P2P-v1 fleet tokens')

/** The secret of the tokens that all nodes issue. */
export const fleetTokens = (provider: CryptoProvider, { secret }: { readonly secret: Uint8Array }): Uint8Array =>
  provider.hmacSha256(secret, TOKENS_LABEL)

export interface FleetMailOptions {
  readonly provider: CryptoProvider
  readonly secret: Uint8Array
  readonly node: number
  readonly random: Random
  readonly unixMs: () => number
}

/** Why a message does not count. `own`: it is this node's. */
export type FleetRefusal = 'fleetRefused' | 'fleetStale' | 'own'

export class FleetMail {
  readonly #options: FleetMailOptions
  readonly #key: Uint8Array
  readonly #life: number
  /** One for each place that something was ever sent to: as many as there are nodes. */
  readonly #writers = new Map<FleetAddress, FleetWriter>()
  readonly #full: FleetMessage[] = []
  /** Places whose writers have something. */
  readonly #waiting = new Set<FleetAddress>()

  constructor(options: FleetMailOptions) {
    this.#options = options
    this.#key = options.provider.hmacSha256(options.secret, MESSAGES_LABEL)
    this.#life = options.random.bytes(LIFE_BYTES).reduce((value, byte) => value * 256 + byte, 0)
  }

  post(to: FleetAddress, item: FleetItem): void {
    const writer = this.#writers.get(to) ?? new FleetWriter()
    this.#writers.set(to, writer)
    if (!writer.add(item)) {
      this.#full.push(this.#seal(to, writer))
      writer.add(item)
    }
    this.#waiting.add(to)
  }

  /** The next message of what was posted. */
  poll(): FleetMessage | undefined {
    const full = this.#full.shift()
    if (full !== undefined || this.#waiting.size === 0) return full
    const [to] = this.#waiting as Set<FleetAddress>
    this.#waiting.delete(to as FleetAddress)
    return this.#seal(to as FleetAddress, this.#writers.get(to as FleetAddress) as FleetWriter)
  }

  /** The node is gone: what it needed room for is not. */
  forget(node: number): void {
    if (!this.#waiting.has(node)) this.#writers.delete(node)
  }

  /** What a message of another node says. */
  open(message: Uint8Array): { readonly header: FleetHeader; readonly items: readonly FleetItem[] } | FleetRefusal {
    const { node, unixMs } = this.#options
    const header = readFleetHeader(message)
    if (header === undefined || (header.to !== 'all' && header.to !== node)) return 'fleetRefused'
    // A bus may bring back what was said to all.
    if (header.from === node && header.life === this.#life) return 'own'
    if (!sameBytes(this.#tag(message), fleetTag(message))) return 'fleetRefused'
    if (Math.abs(unixMs() - header.time) > TIME_TOLERANCE) return 'fleetStale'
    const items = readFleetItems(message)
    return items === undefined ? 'fleetRefused' : { header, items }
  }

  #seal(to: FleetAddress, writer: FleetWriter): FleetMessage {
    const { node, unixMs } = this.#options
    const bytes = writer.take({ to, from: node, life: this.#life, time: unixMs() })
    fleetTag(bytes).set(this.#tag(bytes))
    return { type: 'fleet', to, bytes }
  }

  #tag(message: Uint8Array): Uint8Array {
    return this.#options.provider.hmacSha256(this.#key, fleetSigned(message)).subarray(0, FLEET_TAG_BYTES)
  }
}
