/**
 * How many bytes of which kind came and went: what a relay costs, and for what. Counted for each
 * datagram, so the numbers lie in one block of memory.
 */

import { type Message, OP } from '@showchain/wire'

/** Kinds of datagrams, with a sentence each. */
export const TRAFFIC_KINDS = {
  channel: 'channel frames, which carry end-to-end records',
  data: 'proxied messages of peers that speak only the base protocol, and their acknowledgements',
  control: 'registrations, introductions, keep-alives and errors',
  stun: 'STUN',
  other: 'what is none of them, and is dropped',
} as const

/** What a datagram is, as bytes are counted. */
export type TrafficKind = keyof typeof TRAFFIC_KINDS

/** Bytes of datagrams, without the headers of UDP and IP. */
export type RelayTraffic = Readonly<Record<'in' | 'out', Readonly<Record<TrafficKind, number>>>>

/** Of a message of the table. */
export const kindOf = ({ op_code }: Message): TrafficKind =>
  op_code === OP.proxyData || op_code === OP.proxyDataAck ? 'data' : 'control'

const KINDS = Object.keys(TRAFFIC_KINDS) as TrafficKind[]
const PLACE = Object.fromEntries(KINDS.map((kind, place) => [kind, place])) as Record<TrafficKind, number>

export class Traffic {
  readonly #in = new Float64Array(KINDS.length)
  readonly #out = new Float64Array(KINDS.length)

  readonly received = (kind: TrafficKind, bytes: number): void => {
    this.#in[PLACE[kind]] = (this.#in[PLACE[kind]] as number) + bytes
  }

  readonly sent = (kind: TrafficKind, bytes: number): void => {
    this.#out[PLACE[kind]] = (this.#out[PLACE[kind]] as number) + bytes
  }

  snapshot(): RelayTraffic {
    return { in: named(this.#in), out: named(this.#out) }
  }
}

const named = (bytes: Float64Array): Record<TrafficKind, number> =>
  Object.fromEntries(KINDS.map((kind) => [kind, bytes[PLACE[kind]] as number])) as Record<TrafficKind, number>
