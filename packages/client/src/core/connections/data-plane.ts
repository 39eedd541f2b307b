/**
 * What carries the application's data on one connection: protected records (secure) or the seed's
 * readable messages (plaintext).
 */
import type { Instant, Route } from '../endpoint/machine.ts'
import type { MessageSession } from '../messages/message-session.ts'
import type { OutgoingMessage, SendFailure, Sent } from '../messages/outgoing-message.ts'
import type { Ending, Goodbye } from '../transport/ending.ts'
import type { StreamEvent, UnreadStream } from '../transport/events.ts'

export type DataPlaneEvent =
  | StreamEvent
  /**
   * Data can flow.
   * @param before what was not read of the connection that the remote peer has lost, when there was
   *   one
   * @param remoteDialled whether the remote peer's application asked for the connection
   * @param by the session by which the handshake message came that completed it; undefined: the keys
   *   come of a hello
   */
  | {
      readonly type: 'ready'
      readonly before: readonly UnreadStream[] | undefined
      readonly remoteDialled: boolean
      readonly by: MessageSession | undefined
    }
  /** The remote peer said goodbye, or the connection cannot go on. */
  | ({ readonly type: 'ended' } & Ending)
  /** The other end answered a question of a punch attempt. @param asks whether it asked one itself */
  | { readonly type: 'pathResponse'; readonly token: Uint8Array; readonly asks: boolean }
  /** The other end answered at another address than before. */
  | { readonly type: 'rebound'; readonly route: Route }

export interface DataPlane {
  /** Whether data can flow once there is a path: keys are agreed on, or none are wanted. */
  readonly ready: boolean
  /** Bytes that one datagram of the application may have at the moment. */
  readonly maxDatagramSize: number
  poll(now: Instant): DataPlaneEvent | undefined
  /** There is a path, or another one: what waits for one goes on. */
  resume(now: Instant): void
  /** A path is gone, with what was under way on it. @param unsent messages that waited there */
  pathLost(unsent: readonly OutgoingMessage[], now: Instant): void
  /** Sends one datagram of the application. */
  send(bytes: Uint8Array, done: Sent, now: Instant): void
  /** Data of a 0x123 or 0x124 came by this session. */
  receive(data: Uint8Array, by: MessageSession, now: Instant): void
  /** The application read a datagram. */
  read(): void
  /** @param why for what was not sent */
  close(why: string, goodbye: Goodbye, now: Instant): void
}

/** Why nothing can be sent any more. */
export const CONNECTION_ENDED: SendFailure = { code: 'ERR_CLOSED', why: 'The connection has ended.' }
