/**
 * Protected data: a secure session whose records take the best path of the moment, as each kind of
 * path carries them.
 */
import { MAX_DATAGRAM, type PeerId, PROBED_DATAGRAMS } from '@showchain/wire'
import { CHANNEL_HEADER_BYTES, DATAGRAM_OVERHEAD, isHandshake } from '@showchain/wire/end-to-end'
import type { StreamChange } from '../context/events.ts'
import { EventQueue } from '../endpoint/event-queue.ts'
import type { Instant, Route } from '../endpoint/machine.ts'
import { type MessageSession, SEND_WINDOW } from '../messages/message-session.ts'
import type { OutgoingMessage, Sent } from '../messages/outgoing-message.ts'
import type { ConnectionContext } from '../paths/connection-context.ts'
import {
  type EndToEnd,
  type RecordPath,
  type RecordReceiver,
  SecureSession,
  type SecureStatistics,
} from '../secure/secure-session.ts'
import type { PathTraits } from '../transport/recovery/path-traits.ts'
import type { Transport } from '../transport/transport.ts'
import type { ConnectionPaths } from './connection-paths.ts'
import { CONNECTION_ENDED, type DataPlane, type DataPlaneEvent } from './data-plane.ts'

/**
 * Probe timeouts in a row that make a path suspect: about three round trips, and their variation,
 * without an answer.
 */
const SUSPICIOUS_PROBES = 2

const DIRECT: PathTraits = { base: MAX_DATAGRAM, larger: PROBED_DATAGRAMS, acks: 'prompt' }
const CHANNEL: PathTraits = {
  base: MAX_DATAGRAM - CHANNEL_HEADER_BYTES,
  larger: PROBED_DATAGRAMS.map((size) => size - CHANNEL_HEADER_BYTES),
  acks: 'prompt',
}

export class SecureDataPlane implements DataPlane {
  readonly #session: SecureSession
  readonly #context: ConnectionContext
  readonly #paths: ConnectionPaths
  readonly #events = new EventQueue<DataPlaneEvent>()
  #recordPath: { readonly session: MessageSession; readonly path: RecordPath } | undefined

  constructor(
    context: ConnectionContext,
    endToEnd: EndToEnd,
    remoteId: PeerId,
    receiver: RecordReceiver,
    paths: ConnectionPaths,
  ) {
    const { credentials } = endToEnd
    const events = this.#events
    const stream = (id: number, what: StreamChange): void => events.push({ type: 'stream', stream: id, what })
    const failed = (why: string): void => events.push({ type: 'failed', why })
    this.#context = context
    this.#paths = paths
    this.#session = new SecureSession(context, {
      ...{ remoteId, receiver },
      endToEnd: {
        ...endToEnd,
        credentials: {
          staticKey: credentials.staticKey,
          certificate: (got, now) =>
            credentials.certificate((certificate, at) => {
              got(certificate, at)
              context.drain(at)
            }, now),
        },
      },
      carrier: () => this.#currentPath(),
      secured: (before) => events.push({ type: 'ready', before }),
      failed,
      closed: failed,
      silent: (probes) => {
        if (probes >= SUSPICIOUS_PROBES) events.push({ type: 'suspect' })
      },
      heard: (source, now) => void paths.direct.heardAt(source, now),
      rebound: (route) => events.push({ type: 'rebound', route }),
      events: {
        opened: (id) => stream(id, 'opened'),
        readable: (id) => stream(id, 'readable'),
        writable: (id) => stream(id, 'writable'),
        finished: (id) => stream(id, 'finished'),
        openable: () => events.push({ type: 'openable' }),
        stopped: (id, code) => events.push({ type: 'streamStopped', stream: id, code }),
        datagram: (bytes) => events.push({ type: 'datagram', bytes }),
      },
    })
  }

  poll(): DataPlaneEvent | undefined {
    return this.#events.poll()
  }

  get ready(): boolean {
    return this.#session.done
  }

  get transport(): Transport | undefined {
    return this.#session.transport
  }

  get statistics(): SecureStatistics | undefined {
    return this.#session.statistics
  }

  get maxDatagramSize(): number {
    return (this.#session.packet ?? CHANNEL.base) - DATAGRAM_OVERHEAD
  }

  /** Begins the handshake, or sends what waits. */
  resume(now: Instant): void {
    if (this.ready) this.#session.pump(now)
    else this.#session.start(now)
  }

  /** Loss recovery sends again what the lost records carried. */
  pathLost(unsent: readonly OutgoingMessage[], now: Instant): void {
    this.#session.pathLost()
    for (const { done } of unsent) done({ code: 'ERR_CLOSED', why: 'The path is gone.' }, now)
  }

  send(bytes: Uint8Array, done: Sent, now: Instant): void {
    const { transport } = this.#session
    if (transport === undefined) return done(CONNECTION_ENDED, now)
    if (bytes.length > this.maxDatagramSize)
      return done({ code: 'ERR_TOO_LARGE', why: `This path takes ${this.maxDatagramSize} bytes.` }, now)
    if (!transport.datagram(bytes, (sent, at) => done(sent ? undefined : CONNECTION_ENDED, at)))
      return done({ code: 'ERR_BUSY', why: 'Too many datagrams wait to be sent.' }, now)
    this.#session.pump(now)
  }

  /** A record, or a part of a handshake message, that came as the data of a message. */
  receive(data: Uint8Array, now: Instant): void {
    this.#paths.sessions.read()
    if (isHandshake(data)) this.#session.handshake(data, now)
    else this.#session.receive(data, undefined, now)
  }

  /** @param source of a record that came on a direct path */
  receiveRecord(record: Uint8Array, source: Route | undefined, now: Instant): void {
    this.#session.receive(record, source, now)
  }

  /** A part of a handshake message that came as it is. */
  receiveHandshake(part: Uint8Array, now: Instant): void {
    this.#session.handshake(part, now)
  }

  /** Datagrams are not acknowledged: nothing waits for the reader. */
  read(): void {}

  close(why: string, now: Instant): void {
    this.#session.close(why, now)
  }

  #currentPath(): RecordPath | undefined {
    const { session } = this.#paths
    if (session === undefined) return undefined
    if (this.#recordPath?.session !== session) this.#recordPath = { session, path: this.#recordPathOf(session) }
    return this.#recordPath.path
  }

  #recordPathOf(session: MessageSession): RecordPath {
    const { id, to, liveness, directKey } = session.options
    const transmit = (bytes: Uint8Array, now: Instant): void => {
      this.#context.outbox.transmit(to, bytes)
      liveness.sent(now)
    }
    const ready = (): boolean => true
    if (directKey !== undefined) return { kind: 'direct', identity: to, session: id, traits: DIRECT, ready, transmit }
    if (this.#paths.relayed.carriesFrames)
      return { kind: 'channel', identity: session, session: id, traits: CHANNEL, ready, transmit }
    const done = (_failure: unknown, now: Instant): void => this.#session.pump(now)
    return {
      ...{ kind: 'seed', identity: session, session: id },
      // Each record is in a message, which has its size and a signature.
      traits: { base: this.#context.maxMessage, larger: [], acks: 'gathered' },
      ready: () => session.backlog < SEND_WINDOW,
      transmit: (bytes, now) => session.send({ bytes, done }, now),
    }
  }
}
