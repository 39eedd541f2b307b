/**
 * Two peers with a direct path between them, on virtual time and with real keys. What is on its way
 * is in the test's hands: it can be held back, and be delivered as if it came from elsewhere.
 */

import { openssl, opensslEndToEnd } from '@showchain/crypto'
import { type Endpoint, type ErrorCode, sameEndpoint } from '@showchain/wire'
import {
  type ConnectionHandle,
  duration,
  type Instant,
  instant,
  labPolicy,
  later,
  type PeerEvent,
  PeerMachine,
} from '../../src/core/index.ts'
import type { SendFailure } from '../../src/core/messages/outgoing-message.ts'
import { natDiscovery } from '../../src/core/peer/nat-servers.ts'
import { repeatable } from '../context-bed.ts'
import { other, type Signer, self } from '../peer-bed.ts'

const EPOCH = 1_800_000_000_000
/** One way, in ms. */
const DELAY = 10

type Options = Partial<ConstructorParameters<typeof PeerMachine>[0]>

export interface Flight {
  readonly at: Instant
  readonly from: Endpoint
  readonly to: Endpoint
  readonly bytes: Uint8Array
}

export class PeerEnd {
  readonly machine: PeerMachine
  readonly signer: Signer
  readonly address: Endpoint
  readonly events: PeerEvent[] = []
  /** What became of each datagram that was sent, in order. */
  readonly outcomes: (ErrorCode | 'sent')[] = []
  readonly #network: TwoPeers

  constructor(network: TwoPeers, signer: Signer, address: Endpoint, seed: number, options: Options) {
    this.#network = network
    this.signer = signer
    this.address = address
    this.machine = new PeerMachine({
      self: signer.publicKey,
      provider: openssl,
      endToEnd: opensslEndToEnd,
      unixMs: () => EPOCH + Math.floor(network.now),
      random: repeatable(seed) as NonNullable<Options['random']>,
      allows: labPolicy,
      natDiscovery,
      ...options,
    })
  }

  /** A command or an input, and everything that follows at once. */
  do<T>(command: (machine: PeerMachine, now: Instant) => T): T {
    const { now } = this.#network
    const result = command(this.machine, now)
    for (let output = this.machine.poll(); output !== undefined; output = this.machine.poll()) {
      if (output.type === 'transmit') this.#network.fly(this.address, output.to, output.bytes)
      else if (output.type === 'event') {
        this.events.push(output.event)
        if (output.event.type === 'consent') output.event.decide(true, now)
      } else if (output.type === 'pause') continue
      else if (output.type === 'socket') throw new Error('Nothing here needs another socket.')
      else if (output.kind === 'verify')
        output.resume(openssl.verify(output.key, output.preimage, output.signature), now)
      else
        output.resume(
          output.kind === 'sign' ? this.signer.sign(output.preimage) : this.signer.certify(output.preimage),
          now,
        )
    }
    return result
  }

  eventsOf<Type extends PeerEvent['type']>(type: Type): readonly Extract<PeerEvent, { readonly type: Type }>[] {
    return this.events.filter((event): event is Extract<PeerEvent, { readonly type: Type }> => event.type === type)
  }

  /** The connection that opened last. */
  get connection(): ConnectionHandle {
    const opened = this.eventsOf('open').at(-1)
    if (opened === undefined) throw new Error('no connection')
    return opened.connection
  }

  /** One datagram of the application. */
  send(bytes: Uint8Array): void {
    const done = (failure: SendFailure): void => void this.outcomes.push(failure?.code ?? 'sent')
    this.do((machine, now) => machine.sendDatagram(this.connection, bytes, done, now))
  }

  counted(name: keyof ReturnType<PeerMachine['counters']>): number {
    return this.machine.counters()[name]
  }
}

/** `a` has the smaller id. */
export class TwoPeers {
  readonly a: PeerEnd
  readonly b: PeerEnd
  now: Instant = instant(0)
  /** What is held back on its way. @default nothing */
  holds: (flight: Flight) => boolean = () => false
  readonly held: Flight[] = []
  /** All that was sent, to whichever address. */
  readonly sent: Flight[] = []
  readonly #flights: Flight[] = []

  constructor(options: { readonly a?: Options; readonly b?: Options } = {}) {
    const [smaller, larger] = self.id < other.id ? [self, other] : [other, self]
    this.a = new PeerEnd(this, smaller, { ip: '198.51.100.1', port: 1001 }, 1, options.a ?? {})
    this.b = new PeerEnd(this, larger, { ip: '198.51.100.2', port: 1002 }, 2, options.b ?? {})
  }

  /** `a` connects to `b`, whose address it knows. */
  dial(): this {
    const { id } = this.b.signer
    this.a.do((machine, now) => machine.dial({ id, policy: 'direct', addresses: [this.b.address], relays: [] }, now))
    return this
  }

  /** Both are connected, and silent. */
  connected(): this {
    this.dial().advance(1000)
    if (this.a.eventsOf('dialed').length === 0) throw new Error('not connected')
    this.sent.length = 0
    return this
  }

  fly(from: Endpoint, { ip, port }: Endpoint, bytes: Uint8Array): void {
    const flight = { at: later(this.now, duration(DELAY)), from, to: { ip, port }, bytes }
    this.sent.push(flight)
    if (this.holds(flight)) this.held.push(flight)
    else this.#flights.push(flight)
  }

  /**
   * Delivers a copy at once, which is the receiver's.
   * @param source where it seems to come from. @default where it was sent
   */
  deliver({ from, to, bytes }: Flight, source: Endpoint = from): void {
    for (const end of [this.a, this.b])
      if (sameEndpoint(end.address, to))
        end.do((machine, now) => machine.receive({ bytes: bytes.slice(), source }, now))
  }

  advance(ms: number): void {
    const until = later(this.now, duration(ms))
    for (;;) {
      const deadlines = [this.a, this.b].flatMap(({ machine }) => machine.deadline ?? [])
      const next = Math.min(...deadlines, ...this.#flights.map(({ at }) => at))
      if (!(next <= until)) break
      this.now = instant(Math.max(next, this.now))
      for (const flight of this.#flights.splice(0)) {
        if (flight.at <= this.now) this.deliver(flight)
        else this.#flights.push(flight)
      }
      for (const end of [this.a, this.b]) end.do((machine, now) => machine.wake(now))
    }
    this.now = until
  }

  /** What was sent to an address since `connected`. */
  sentTo(to: Endpoint): readonly Flight[] {
    return this.sent.filter((flight) => sameEndpoint(flight.to, to))
  }
}
