/** What a record carried that must not be forgotten when it is lost. */

export type SentFrame =
  | { readonly type: 'stream'; readonly id: number; readonly from: number; readonly to: number; readonly fin: boolean }
  /** Frames that say a current value: when one is lost, the value of then is said again. */
  | { readonly type: 'maxData' | 'maxStreams' | 'ping' }
  | { readonly type: 'maxStreamData' | 'resetStream' | 'stopSending'; readonly id: number }
  /** An acknowledgement: once it arrived, what it told need not be told again. */
  | { readonly type: 'ack'; readonly upTo: number }
  | { readonly type: 'datagram' | 'close' }
