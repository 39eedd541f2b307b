/** One stream: both halves, and what has to be said of them. */
import type { Instant } from '../../endpoint/machine.ts'
import type { ReceiveStream } from './receive-stream.ts'
import type { SendStream } from './send-stream.ts'

export interface Stream {
  readonly id: number
  readonly send: SendStream
  readonly receive: ReceiveStream
  /** STOP_SENDING has to be said, with this code. */
  stop: { readonly code: number; state: 'wanted' | 'sent' } | undefined
  /** MAX_STREAM_DATA has to be said. */
  limit: boolean
  /** When that limit was raised last. */
  raisedAt: Instant | undefined
  /** Whether the application knows how reading ended, or does not want to. */
  told: boolean
  /** Whether the application waits to be told that there is something to read, or room to write. */
  awaitsData: boolean
  awaitsRoom: boolean
}

/** Whether both halves have come to their end, and nobody has to be told. */
export const isOver = ({ send, receive, told }: Stream): boolean => send.done && receive.done && told
