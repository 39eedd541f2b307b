/** What one path of a connection tells the connection. */
import type { OutgoingMessage } from '../messages/outgoing-message.ts'

export type PathEvent =
  /** A line of the connection's story. */
  | { readonly type: 'note'; readonly what: string }
  /** The other end was reached on the path. */
  | { readonly type: 'usable'; readonly reason: string }
  /** The path, or one of its sessions, is gone. */
  | {
      readonly type: 'lost'
      readonly reason: string
      /** What waited to be sent there. */
      readonly unsent: readonly OutgoingMessage[]
      /** What fails with SESSION_LOST. */
      readonly abandoned: readonly OutgoingMessage[]
    }
  /** No replacement was found in time. */
  | { readonly type: 'failed'; readonly why: string }
