/**
 * What a record carried that is sent again, or otherwise dealt with, when the record is
 * acknowledged or lost (RFC 9000 §13.3).
 */

/**
 * A frame of one stream. Except for its data, the current value is sent when one is lost, not that
 * of then.
 */
export type SentStreamFrame =
  | { readonly type: 'stream'; readonly id: number; readonly from: number; readonly to: number; readonly fin: boolean }
  | { readonly type: 'maxStreamData' | 'resetStream' | 'stopSending'; readonly id: number }

export type SentFrame =
  | SentStreamFrame
  | { readonly type: 'maxData' | 'maxStreams' | 'staticKey' }
  /**
   * An ACK frame for numbers below `upTo`: once it is acknowledged, they are not reported again
   * (RFC 9000 §13.2.4).
   */
  | { readonly type: 'ack'; readonly upTo: number }
