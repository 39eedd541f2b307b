/** What protects one connection: its handshake, its records on the best path of the moment, and who waits for them. */

import { MAX_DATAGRAM, PROBED_DATAGRAMS } from '@showchain/wire'
import { CHANNEL_HEADER_BYTES, DATAGRAM_OVERHEAD } from '@showchain/wire/end-to-end'
import type { StreamChange } from '../context/events.ts'
import type { PeerContext } from '../context/peer-context.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { MessageSession } from '../messages/message-session.ts'
import { SEND_WINDOW } from '../messages/message-session.ts'
import { type EndToEnd, type RecordPath, SecureSession } from '../secure/secure-session.ts'
import type { PathTraits } from '../transport/recovery/path-traits.ts'
import type { Transport } from '../transport/transport.ts'
import type { ConnectionMachine } from './connection-machine.ts'

/** Probes in vain that put a path in doubt: about three round trips, and their variation, without a word. */
const SUSPICIOUS_PROBES = 2

const DIRECT: PathTraits = { base: MAX_DATAGRAM, larger: PROBED_DATAGRAMS, acks: 'prompt' }
const CHANNEL: PathTraits = {
  base: MAX_DATAGRAM - CHANNEL_HEADER_BYTES,
  larger: PROBED_DATAGRAMS.map((size) => size - CHANNEL_HEADER_BYTES),
  acks: 'prompt',
}

export interface SecureDataPlaneOptions {
  readonly connection: ConnectionMachine
  /** The session of the path that is best now. */
  channel(): MessageSession | undefined
  /** @param before of the connection that the other end has lost, when there was one */
  secured(before: Transport | undefined, now: Instant): void
  failed(why: string, now: Instant): void
  /** Nothing comes back on the path of this session. */
  doubt(channel: MessageSession, now: Instant): void
}

/** @param why undefined: the connection is protected. */
type Waiter = (why: string | undefined, now: Instant) => void

export class SecureDataPlane {
  readonly secure: SecureSession
  readonly #context: PeerContext
  readonly #options: SecureDataPlaneOptions
  #carrier: { readonly channel: MessageSession; readonly carrier: RecordPath } | undefined
  /** One for each way that a dial tries. */
  #waiters: Waiter[] = []

  constructor(context: PeerContext, endToEnd: EndToEnd, options: SecureDataPlaneOptions) {
    const { connection, secured, failed } = options
    const event = (stream: number, what: StreamChange): void =>
      context.outbox.event({ type: 'stream', connection: connection.id, stream, what })
    this.#context = context
    this.#options = options
    this.secure = new SecureSession(context, {
      remoteId: connection.options.remoteId,
      endToEnd,
      carrier: () => this.#current(),
      secured: (before, now) => {
        secured(before, now)
        this.#tell(undefined, now)
      },
      failed,
      closed: failed,
      silent: (probes, now) => {
        const channel = options.channel()
        if (probes >= SUSPICIOUS_PROBES && channel !== undefined) options.doubt(channel, now)
      },
      heard: (source, now) => void connection.direct.heardAt(source, now),
      rebound: (route, now) => {
        connection.direct.rebind(route, now)
        connection.establish('the other end has another address', now)
      },
      events: {
        opened: (stream) => event(stream, 'opened'),
        readable: (stream) => event(stream, 'readable'),
        writable: (stream) => event(stream, 'writable'),
        finished: (stream) => event(stream, 'finished'),
        openable: () => context.outbox.event({ type: 'openable', connection: connection.id }),
        stopped: (stream, code) =>
          context.outbox.event({ type: 'streamStopped', connection: connection.id, stream, code }),
        datagram: (bytes) => context.outbox.event({ type: 'message', connection: connection.id, bytes }),
      },
    })
  }

  get transport(): Transport | undefined {
    return this.secure.transport
  }

  /** Bytes of a datagram that the path of the moment takes. */
  get maxDatagram(): number {
    return (this.secure.packet ?? CHANNEL.base) - DATAGRAM_OVERHEAD
  }

  /** Calls back once, when the connection is protected or will never be. */
  whenSecured(waiter: Waiter, now: Instant): void {
    if (this.secure.done) waiter(undefined, now)
    else this.#waiters.push(waiter)
  }

  close(why: string, now: Instant): void {
    this.secure.close(why, now)
    this.#tell(why, now)
  }

  #tell(why: string | undefined, now: Instant): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter(why, now)
  }

  #current(): RecordPath | undefined {
    const channel = this.#options.channel()
    if (channel === undefined) return undefined
    if (this.#carrier?.channel !== channel) this.#carrier = { channel, carrier: this.#carrierOf(channel) }
    return this.#carrier.carrier
  }

  #carrierOf(channel: MessageSession): RecordPath {
    const { session, to, sent } = channel.options
    const transmit = (bytes: Uint8Array, now: Instant): void => {
      this.#context.outbox.transmit(to, bytes)
      sent(now)
    }
    const ready = (): boolean => true
    if (channel.options.directKey !== undefined)
      return { kind: 'direct', identity: to, session, traits: DIRECT, ready, transmit }
    if (this.#options.connection.relayed.carriesFrames)
      return { kind: 'channel', identity: channel, session, traits: CHANNEL, ready, transmit }
    const { maxMessage } = this.#context
    const done = (_failure: unknown, now: Instant): void => this.secure.pump(now)
    return {
      ...{ kind: 'seed', identity: channel, session },
      // Each record is in a message, which has its size and a signature.
      traits: { base: maxMessage, larger: [], acks: 'gathered' },
      ready: () => channel.backlog < SEND_WINDOW,
      transmit: (bytes, now) => channel.send({ bytes, done }, now),
    }
  }
}
