/** One stream: both halves, and the frames about it that are pending. */
import type { Instant } from '../../endpoint/machine.ts'
import type { ReceiveStream } from './receive-stream.ts'
import type { SendStream } from './send-stream.ts'

export interface Stream {
  readonly id: number
  readonly send: SendStream
  readonly receive: ReceiveStream
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
