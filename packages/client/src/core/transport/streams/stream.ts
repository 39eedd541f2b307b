/** One stream: both halves, and the frames about it that are pending. */
import type { Instant } from '../../endpoint/machine.ts'
import type { StreamRead, UnreadStream } from '../events.ts'
import type { ReceiveStream } from './receive-stream.ts'
import type { SendStream } from './send-stream.ts'
import type { StreamName } from './stream-name.ts'

export interface Stream {
  readonly id: number
  readonly send: SendStream
  readonly receive: ReceiveStream
  /** Of one that the remote peer opened, until it is complete: the application knows nothing of it. */
  name: StreamName | undefined
  /** STOP_SENDING of this code is pending or sent. */
  stopSending: { readonly code: number; state: 'pending' | 'sent' } | undefined
  /** MAX_STREAM_DATA is pending. */
  maxStreamDataPending: boolean
  /** When the receive limit was raised last. */
  raisedAt: Instant | undefined
  /** Whether the application knows how reading ended, or does not want to. */
  endReported: boolean
  /** Whether the application waits for data to read, or for space to write. */
  readBlocked: boolean
  writeBlocked: boolean
}

/** Whether both halves are over, and the application knows. */
export const isFinished = ({ send, receive, endReported }: Stream): boolean => send.done && receive.done && endReported

/** How a stream ended whose receiving half is over. */
export const endOf = ({ receive: { resetCode } }: Stream): StreamRead =>
  resetCode === undefined ? { type: 'end' } : { type: 'reset', code: resetCode }

/** What arrived of a stream and was not read, if the application knows of it. */
export function unreadOf(stream: Stream): readonly UnreadStream[] {
  const { id, receive, name } = stream
  if (name !== undefined) return []
  const reads: StreamRead[] = []
  for (let bytes = receive.read(); bytes !== undefined; bytes = receive.read()) reads.push({ type: 'data', bytes })
  if (receive.done) reads.push(endOf(stream))
  return reads.length > 0 ? [{ stream: id, reads }] : []
}
