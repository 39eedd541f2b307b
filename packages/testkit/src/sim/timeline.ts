/**
 * What happened in a simulation, in order: who sent which message to whom, what became of it, and
 * notes.
 */
import type { Instant } from '@showchain/client/core'
import { classify, decode, describe, type Endpoint, formatEndpoint } from '@showchain/wire'
import type { LineFate } from './line.ts'
import type { Packet } from './packet.ts'

/**
 * What a line did with it (line.ts), or:
 * - `filtered`: dropped by the scenario
 * - `unreachable`: no station has the address
 * - `unbound`: arrived at a port without a socket
 */
export type Fate = LineFate | 'filtered' | 'unreachable' | 'unbound'

/**
 * - `out`, `in`, `hairpin`: translated where there is a NAT, and passed on
 * - `filtered`, `no mapping`: no packet from inside allows it (RFC 4787 §5)
 * - `table full`: no mapping can be made
 * - `no hairpin`: to the router's own address from inside (RFC 4787 §6)
 * - `blocked`: the network has no UDP that way
 * - `no route`: an address that the router does not serve
 */
export type RouterVerdict =
  | 'out'
  | 'in'
  | 'hairpin'
  | 'filtered'
  | 'no mapping'
  | 'table full'
  | 'no hairpin'
  | 'blocked'
  | 'no route'

/** Verdicts with which a router sends a packet on: it is no other packet. */
const PASSES: readonly RouterVerdict[] = ['out', 'in', 'hairpin']

/** A packet, and what became of it. */
export interface PacketEntry {
  readonly type: 'packet'
  readonly at: Instant
  /** Name of the station that sent it. */
  readonly from: string
  /** Name of the station that has the address, or the address when no station has it. */
  readonly to: string
  /** As it arrives. */
  readonly packet: Packet
  readonly fate: Fate
  /** When each copy arrives. */
  readonly arrivals: readonly Instant[]
}

/** A line of text in the timeline. */
export interface NoteEntry {
  readonly type: 'note'
  readonly at: Instant
  readonly from: string
  readonly text: string
}

/** What a router did with a packet. */
export interface RouterEntry {
  readonly type: 'router'
  readonly at: Instant
  readonly router: string
  /** As it came to the router. */
  readonly packet: Packet
  readonly verdict: RouterVerdict
  /** The endpoint that it was translated to. */
  readonly as: Endpoint | undefined
}

/** What a timeline has. */
export type TimelineEntry = PacketEntry | NoteEntry | RouterEntry

/** Long scenarios keep their end, which is where they fail. */
const MAX_ENTRIES = 100_000

/** What happened, in order. */
export class Timeline {
  /** At most MAX_ENTRIES; the oldest half makes room. */
  #entries: TimelineEntry[] = []

  #sent = 0
  #passedOn = 0

  /** Packets that hosts and routers put on a network so far. */
  get sent(): number {
    return this.#sent
  }

  /** Packets that hosts sent so far. */
  get originated(): number {
    return this.#sent - this.#passedOn
  }

  get entries(): readonly TimelineEntry[] {
    return this.#entries
  }

  /** Appends an entry. */
  add(entry: TimelineEntry): void {
    if (entry.type === 'packet' && entry.fate !== 'unbound') this.#sent++
    if (entry.type === 'router' && PASSES.includes(entry.verdict)) this.#passedOn++
    if (this.#entries.length >= MAX_ENTRIES) this.#entries = this.#entries.slice(MAX_ENTRIES / 2)
    this.#entries.push(entry)
  }

  /** One line for each entry. @param last only the last ones. */
  format(last: number = MAX_ENTRIES): string {
    return this.#entries.slice(-last).map(formatEntry).join('\n')
  }
}

/** `    12.000  alice → relay  directRequest 0x101 id=…  (lost)` */
function formatEntry(entry: TimelineEntry): string {
  const at = entry.at.toFixed(3).padStart(12)
  if (entry.type === 'note') return `${at}  ${entry.from}: ${entry.text}`
  if (entry.type === 'router') {
    const { source, destination } = entry.packet
    const as = entry.as === undefined ? '' : ` as ${formatEndpoint(entry.as)}`
    return `${at}  ${entry.router}: ${entry.verdict} ${formatEndpoint(source)} → ${formatEndpoint(destination)}${as}`
  }
  const fate = entry.fate === 'carried' ? (entry.arrivals.length > 1 ? '  (twice)' : '') : `  (${entry.fate})`
  return `${at}  ${entry.from} → ${entry.to}  ${describeDatagram(entry.packet)}${fate}`
}

function describeDatagram({ bytes, source, destination }: Packet): string {
  const decoded = decode(bytes)
  if (decoded.ok) return describe(decoded.message)
  return `${classify(bytes)} ${bytes.length}B ${formatEndpoint(source)} → ${formatEndpoint(destination)}`
}
