/**
 * What a peer has with one remote peer, whichever parts of the application use it: each has a
 * `Connection`, a handle of its own. Closing the last one closes the connection. What arrives goes
 * to the handle that asks first.
 */
import type { PeerId } from '@showchain/wire'
import { EARLY_STREAM } from '@showchain/wire/end-to-end'
import { AsyncQueue } from './async/async-queue.ts'
import { Connection } from './connection.ts'
import type { ConnectionPort } from './connection-port.ts'
import type { TimelineEntry } from './connection-reports.ts'
import {
  type ConnectionEnd,
  closedHere,
  type EarlyBytes,
  type Goodbye,
  type NoNames,
  type Path,
  READ_PIECE,
  type StreamChange,
  type StreamOpening,
  type StreamRead,
  type UnreadStream,
} from './core/index.ts'
import type { Clock } from './runtime/clock.ts'
import type { Shared } from './shared.ts'
import { Stream } from './stream.ts'

/** Lines of its timeline that a connection keeps. */
export const MAX_TIMELINE = 256
/** Unread datagrams of a protected connection; further ones are dropped. */
const MAX_UNREAD_DATAGRAMS = 1024

const UNNAMED: StreamOpening = { priority: 0 }

/** Properties of a connection when it opens. */
export interface ConnectionTraits {
  readonly remoteId: PeerId
  readonly path: Path
  readonly plaintext: boolean
  /** What this peer says that it takes by name. */
  readonly protocols: readonly string[]
  readonly timeline: readonly TimelineEntry[]
  /** Whether the first stream of the dialler begins with what it said before an answer. */
  readonly early: boolean
}

/** A stream of which a half is in use, and the handle that opened or took it. */
interface OpenStream {
  readonly stream: Stream
  owner: Connection | undefined
}

export class SharedConnection implements Shared<Connection> {
  readonly remoteId: PeerId
  readonly protected: boolean
  readonly port: ConnectionPort
  readonly clock: Clock
  readonly datagrams: AsyncQueue<Uint8Array> = new AsyncQueue<Uint8Array>()
  readonly streams: AsyncQueue<Stream> = new AsyncQueue<Stream>()
  path: Path
  why = 'initial path'
  readonly timeline: TimelineEntry[]
  readonly #early: boolean
  /** Bounded by what the application asks for. Whether it has each: one is offered by `incoming` first. */
  readonly #handles = new Map<Connection, 'held' | 'offered'>()
  /**
   * By id, until both halves are over for the application. It is not asked of the machine, which is
   * ahead of its events; bounded by the transport's stream limits.
   */
  readonly #open = new Map<number, OpenStream>()
  /** Protocols whose streams are for calls that ask for them; bounded by the application. */
  readonly #claimed: Set<string>
  /** Calls of `openStream` that wait for MAX_STREAMS, in order. */
  readonly #openers = new Set<() => void>()

  constructor(traits: ConnectionTraits, port: ConnectionPort, clock: Clock) {
    const { remoteId, path, plaintext, protocols, timeline, early } = traits
    this.remoteId = remoteId
    this.protected = !plaintext
    this.port = port
    this.clock = clock
    this.path = path
    this.timeline = [...timeline]
    this.#early = early
    this.#claimed = new Set(protocols)
  }

  /**
   * One more handle, for a part of the application that asked for the connection.
   * @param early what it said with its dial
   */
  held(early?: EarlyBytes): Connection {
    const handle = this.#handle(false, 'held')
    if (early !== undefined) handle.begin(this.#begin(handle, early))
    return handle
  }

  /** The stream that begins with these bytes; undefined: nobody knows whether they arrived. */
  #begin(handle: Connection, { bytes, state }: EarlyBytes): Stream | undefined {
    if (state === 'taken') return this.#add(EARLY_STREAM, undefined, handle)
    const id = state === 'unsent' ? this.port.openStream(UNNAMED) : undefined
    if (typeof id !== 'number') return undefined
    const stream = this.#add(id, undefined, handle)
    // That the connection ends meanwhile, the next call tells.
    stream.write(bytes).catch(() => {})
    return stream
  }

  /** The handle that comes out of `incoming`. */
  offered(): Connection {
    return this.#handle(true, 'offered')
  }

  /** The application took the handle that was offered. */
  take(handle: Connection): void {
    if (this.#handles.has(handle)) this.#handles.set(handle, 'held')
  }

  /** Nobody waits for the handle any more, or for another one. */
  discard(handle?: Connection): void {
    if (handle !== undefined) this.#handles.delete(handle)
    if (this.#handles.size === 0) this.port.close(closedHere().goodbye)
  }

  release(handle: Connection, goodbye: Goodbye): void {
    const others = [...this.#handles].some(([each, state]) => each !== handle && state === 'held')
    if (!others) return this.port.close(goodbye)
    this.#handles.delete(handle)
    const { end } = closedHere(goodbye)
    for (const [id, { stream, owner }] of [...this.#open]) if (owner === handle) this.#give(id, stream, end)
    handle.released(end)
    this.onOpenable()
  }

  tryOpen(owner: Connection, how: StreamOpening): Stream | NoNames | undefined {
    const id = this.port.openStream(how)
    return typeof id === 'number' ? this.#add(id, how.protocol, owner) : id
  }

  claim(protocol: string): void {
    this.#claimed.add(protocol)
  }

  isClaimed(protocol: string | undefined): boolean {
    return protocol !== undefined && this.#claimed.has(protocol)
  }

  whenOpenable(look: () => void): () => void {
    this.#openers.add(look)
    return () => this.#openers.delete(look)
  }

  own(stream: Stream, owner: Connection): void {
    const open = this.#open.get(stream.id)
    if (open !== undefined) open.owner = owner
  }

  receive(bytes: Uint8Array): void {
    if (!this.protected || this.datagrams.size < MAX_UNREAD_DATAGRAMS) this.datagrams.push(bytes)
  }

  onOpened(id: number, protocol: string | undefined): void {
    this.streams.push(this.#add(id, protocol, undefined))
  }

  onStream(id: number, what: StreamChange): void {
    this.#open.get(id)?.stream.on(what)
  }

  onStopped(id: number, code: number): void {
    this.#open.get(id)?.stream.stopped(code)
  }

  /** MAX_STREAMS came. */
  onOpenable(): void {
    for (const look of [...this.#openers]) look()
  }

  moved(path: Path, reason: string): void {
    this.path = path
    this.why = reason
    for (const handle of [...this.#handles.keys()]) handle.moved(path, reason)
  }

  note(entry: TimelineEntry): void {
    this.timeline.push(entry)
    if (this.timeline.length > MAX_TIMELINE) this.timeline.shift()
  }

  /** @param unread data that arrived and was not read */
  ended(end: ConnectionEnd, unread: readonly UnreadStream[]): void {
    const rest = new Map(unread.map(({ stream, reads }) => [stream, reads]))
    for (const { stream } of this.#open.values()) stream.connectionEnded(end.reason, rest.get(stream.id) ?? [])
    this.#open.clear()
    for (const handle of [...this.#handles.keys()]) handle.ended(end)
    this.#handles.clear()
    this.datagrams.end()
    this.streams.end()
    this.onOpenable()
  }

  #handle(incoming: boolean, state: 'held' | 'offered'): Connection {
    const handle = new Connection(this, incoming)
    this.#handles.set(handle, state)
    return handle
  }

  /** Gives a stream up whose handle was closed. What arrived stays readable. */
  #give(id: number, stream: Stream, { code, reason }: ConnectionEnd): void {
    const rest: StreamRead[] = []
    for (let read = this.port.readStream(id, READ_PIECE); read !== undefined; ) {
      rest.push(read)
      read = read.type === 'data' ? this.port.readStream(id, READ_PIECE) : undefined
    }
    this.port.resetStream(id, code)
    this.port.stopStream(id, code)
    stream.connectionEnded(reason, rest)
    this.#open.delete(id)
  }

  #add(id: number, protocol: string | undefined, owner: Connection | undefined): Stream {
    const { port } = this
    const stream = new Stream({
      ...{ id, protocol },
      early: this.#early && id === EARLY_STREAM,
      read: (most) => port.readStream(id, most),
      write: (bytes) => port.writeStream(id, bytes),
      end: () => port.endStream(id),
      reset: (code) => port.resetStream(id, code),
      stop: (code) => port.stopStream(id, code),
      over: () => this.#open.delete(id),
    })
    this.#open.set(id, { stream, owner })
    return stream
  }
}
