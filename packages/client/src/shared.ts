/** What a handle of a connection asks of what all its handles share. */
import type { PeerId } from '@showchain/wire'
import type { AsyncQueue } from './async/async-queue.ts'
import type { ConnectionPort } from './connection-port.ts'
import type { TimelineEntry } from './connection-reports.ts'
import type { Goodbye, NoNames, Path, StreamOpening } from './core/index.ts'
import type { Clock } from './runtime/clock.ts'
import type { Stream } from './stream.ts'

/** What all handles of one connection have in common. */
export interface Shared<Handle> {
  readonly remoteId: PeerId
  readonly protected: boolean
  readonly port: ConnectionPort
  readonly clock: Clock
  readonly datagrams: AsyncQueue<Uint8Array>
  readonly streams: AsyncQueue<Stream>
  /** The current path, and why. */
  readonly path: Path
  readonly why: string
  readonly timeline: readonly TimelineEntry[]
  /** Undefined while the remote peer allows no further stream. */
  tryOpen(owner: Handle, how: StreamOpening): Stream | NoNames | undefined
  /**
   * Calls back when another stream may be opened, and when the connection or a handle has ended.
   * @returns ends the wait
   */
  whenOpenable(look: () => void): () => void
  /** From now on streams of this protocol are for calls that ask for it. */
  claim(protocol: string): void
  isClaimed(protocol: string | undefined): boolean
  /** The application took a stream that the remote peer opened. */
  own(stream: Stream, owner: Handle): void
  /** The application closes a handle. What others use goes on. */
  release(handle: Handle, goodbye: Goodbye): void
}
