/** Messages between the demo and its peers over IPC. */
import type { DialPolicy } from '@showchain/client'
import type { Endpoint } from '@showchain/wire'

export type PeerCommand =
  | {
      readonly type: 'open'
      readonly identity: string
      readonly relay: string
      readonly keepAlive: number
      /** The seed's data messages, which relays and networks on the path can read. */
      readonly plaintext: boolean
    }
  | { readonly type: 'connect'; readonly ticket: string; readonly via: DialPolicy }
  | { readonly type: 'sendFile'; readonly size: number }
  | { readonly type: 'closeConnections' }

interface WithPath<Type extends string> {
  readonly type: Type
  readonly path: 'direct' | 'relay'
}

interface WithFile<Type extends string> {
  readonly type: Type
  readonly size: number
  readonly sha256: string
}

export type PeerReport =
  | {
      readonly type: 'sent'
      readonly at: number
      readonly to: Endpoint
      readonly size: number
      readonly op: number
      readonly text: string
    }
  | { readonly type: 'opened'; readonly local: Endpoint }
  | { readonly type: 'registered'; readonly ticket: string }
  | WithPath<'connected'>
  | WithPath<'incoming'>
  | WithPath<'path'>
  | { readonly type: 'progress'; readonly done: number; readonly size: number }
  | WithFile<'fileSent'>
  | WithFile<'received'>
  | { readonly type: 'closed' }
  | { readonly type: 'failed'; readonly what: string; readonly why: string }
