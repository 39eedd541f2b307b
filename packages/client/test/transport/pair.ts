/**
 * Two transports with a path between them, on virtual time: delay, bandwidth with a queue that
 * drops at its end, random loss, and reordering, by a seed. Records are numbered, but neither
 * sealed nor opened.
 */

import { duration, type Instant, instant, later } from '@showchain/client/core'
import { MAX_DATAGRAM, MAX_RECORD_DATAGRAM, PROBED_DATAGRAMS } from '@showchain/wire'
import { RECORD_OVERHEAD } from '@showchain/wire/end-to-end'
import { Bbr } from '../../src/core/transport/congestion/bbr.ts'
import type { CongestionFactory } from '../../src/core/transport/congestion/controller.ts'
import { Cubic } from '../../src/core/transport/congestion/cubic.ts'
import type { TransportEvent } from '../../src/core/transport/events.ts'
import type { PathTraits } from '../../src/core/transport/recovery/path-traits.ts'
import type { StreamTraits } from '../../src/core/transport/streams/streams.ts'
import { Transport } from '../../src/core/transport/transport.ts'

export const CUBIC: CongestionFactory = (packet) => new Cubic(packet)
export const BBR: CongestionFactory = (packet) => new Bbr(packet)

/** What most paths are like to a peer. */
export const TRAITS: PathTraits = { base: MAX_DATAGRAM, larger: PROBED_DATAGRAMS, acks: 'prompt' }

/**
 * A path: milliseconds of delay one way, bits per second, bytes of queue, shares from 0 to 1, bytes
 * of a record that passes.
 */
export interface PathShape {
  readonly delay: number
  readonly rate?: number
  readonly queue?: number
  readonly loss?: number
  readonly reorder?: number
  readonly mtu?: number
}

/** mulberry32: a few lines, and the same everywhere. */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Flight {
  readonly at: Instant
  readonly number: number
  readonly bytes: Uint8Array
}

/** A queue of a bottleneck, which several ends may share. */
export class Bottleneck {
  readonly shape: PathShape
  #free = 0

  constructor(shape: PathShape) {
    this.shape = shape
  }

  /** When a record that enters now has left it; undefined: there is no room. */
  enter(bytes: number, now: number): number | undefined {
    const { rate, queue = Number.POSITIVE_INFINITY } = this.shape
    if (rate === undefined) return now
    const perMs = rate / 8000
    const waiting = Math.max(0, this.#free - now)
    if (waiting * perMs + bytes > queue) return undefined
    this.#free = Math.max(this.#free, now) + bytes / perMs
    return this.#free
  }
}

export class End {
  readonly transport: Transport
  /** What came: streams by id, opened ones in order, and datagrams. */
  readonly opened: number[] = []
  readonly protocols: (string | undefined)[] = []
  readonly datagrams: Uint8Array[] = []
  readonly stopped: [number, number][] = []
  readonly staticKeys: { readonly key: Uint8Array; readonly lifetimeS: number }[] = []
  readonly resets = new Map<number, number>()
  readonly ended = new Set<number>()
  closedBy: { code: number; reason: string } | undefined
  /** Most of them in a row. */
  probeTimeouts = 0
  /** Bytes of each stream that were read. */
  readonly received = new Map<number, number>()
  onBytes: (stream: number, bytes: Uint8Array) => void = () => {}
  onWritable: (stream: number) => void = () => {}
  /** Whether what comes is read at once. */
  reads = true
  next = 0
  /** Bytes of each record that was sent. */
  readonly sentSizes: number[] = []
  readonly flights: Flight[] = []
  path: Bottleneck
  readonly random: () => number

  constructor(
    streams: StreamTraits,
    congestion: CongestionFactory,
    traits: PathTraits,
    path: Bottleneck,
    seed: number,
  ) {
    this.path = path
    this.random = randomOf(seed)
    this.transport = new Transport({ ...streams, congestion, path: traits })
  }

  /** Takes up what the transport has to say. */
  drain(now: Instant): void {
    for (let event = this.transport.poll(); event !== undefined; event = this.transport.poll()) this.#on(event, now)
  }

  #on(event: TransportEvent, now: Instant): void {
    switch (event.type) {
      case 'staticKey':
        this.staticKeys.push(event)
        return
      case 'streamOpened':
        this.opened.push(event.stream)
        this.protocols.push(event.protocol)
        return
      case 'stream':
        if (event.what === 'readable' && this.reads) this.read(event.stream, now)
        else if (event.what === 'writable') this.onWritable(event.stream)
        return
      case 'streamStopped':
        this.stopped.push([event.stream, event.code])
        return
      case 'datagram':
        this.datagrams.push(event.bytes.slice())
        return
      case 'probeTimeout':
        this.probeTimeouts = Math.max(this.probeTimeouts, event.ptoCount)
        return
      case 'closed':
        this.closedBy = { code: event.code, reason: event.reason }
        return
      case 'openable':
      case 'pathChallenge':
      case 'pathResponse':
        return
    }
  }

  read(id: number, now: Instant): void {
    for (
      let found = this.transport.streams.read(id, now);
      found !== undefined;
      found = this.transport.streams.read(id, now)
    ) {
      if (found.type === 'data') {
        this.received.set(id, (this.received.get(id) ?? 0) + found.bytes.length)
        this.onBytes(id, found.bytes)
        continue
      }
      if (found.type === 'end') this.ended.add(id)
      else this.resets.set(id, found.code)
      return
    }
  }

  /** Sends what may leave now. */
  pump(now: Instant): void {
    const buffer = new Uint8Array(MAX_RECORD_DATAGRAM)
    for (;;) {
      const length = this.transport.fill(this.next, buffer, now)
      if (length === 0) return
      const number = this.next++
      const { delay, loss = 0, reorder = 0, mtu = Number.POSITIVE_INFINITY } = this.path.shape
      this.sentSizes.push(length + RECORD_OVERHEAD)
      if (length + RECORD_OVERHEAD > mtu) continue
      const left = this.path.enter(length + RECORD_OVERHEAD, now)
      if (left === undefined || this.random() < loss) continue
      const extra = this.random() < reorder ? this.random() * delay : 0
      this.#fly({ at: later(instant(left), duration(delay + extra)), number, bytes: buffer.slice(0, length) })
    }
  }

  #fly(flight: Flight): void {
    const { flights } = this
    let index = flights.length
    while (index > 0 && (flights[index - 1] as Flight).at > flight.at) index--
    flights.splice(index, 0, flight)
  }
}

/** Two ends, and the time. */
export class Pair {
  readonly a: End
  readonly b: End
  now: Instant = instant(0)

  constructor(
    congestion: CongestionFactory,
    shape: PathShape,
    {
      seed = 1,
      there = new Bottleneck(shape),
      back = new Bottleneck(shape),
      traits = TRAITS,
      namedStreams = false,
      protocols = undefined as ReadonlySet<string> | undefined,
    } = {},
  ) {
    this.a = new End({ initiator: true, namedStreams, protocols: undefined }, congestion, traits, there, seed)
    this.b = new End({ initiator: false, namedStreams, protocols }, congestion, traits, back, seed + 1)
  }

  /** Both ends on another path. */
  migrate(shape: PathShape, abandonInFlight: boolean): void {
    for (const end of [this.a, this.b]) {
      end.path = new Bottleneck(shape)
      if (abandonInFlight) end.flights.length = 0
      end.transport.migrate(TRAITS, { abandonInFlight })
    }
  }

  run(until: number, done: () => boolean = () => false): void {
    runAll([this], until, done)
  }
}

const earliest = (...times: (Instant | undefined)[]): Instant | undefined =>
  times.reduce((a, b) => (a === undefined || (b !== undefined && b < a) ? b : a), undefined)

/** Runs several pairs, on one clock, until it is done or so many milliseconds have passed. */
export function runAll(pairs: readonly Pair[], until: number, done: () => boolean = () => false): void {
  for (;;) {
    for (const { a, b, now } of pairs) for (const end of [a, b]) end.pump(now)
    if (done()) return
    const next = earliest(
      ...pairs.flatMap(({ a, b }) => [a.flights[0]?.at, b.flights[0]?.at, a.transport.deadline, b.transport.deadline]),
    )
    if (next === undefined || next > until) {
      for (const pair of pairs) pair.now = instant(until)
      return
    }
    for (const pair of pairs) {
      pair.now = instant(Math.max(pair.now, next))
      for (const [from, to] of [
        [pair.a, pair.b],
        [pair.b, pair.a],
      ] as const) {
        while (from.flights[0] !== undefined && from.flights[0].at <= pair.now) {
          const flight = from.flights.shift() as Flight
          to.transport.receive(flight.number, flight.bytes, to.next, pair.now)
          to.drain(pair.now)
        }
        if (from.transport.deadline === undefined || from.transport.deadline > pair.now) continue
        from.transport.wake(pair.now)
        from.drain(pair.now)
      }
    }
  }
}
