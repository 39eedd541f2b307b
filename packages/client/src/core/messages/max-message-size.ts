/**
 * Bytes of data that one message may carry: what fits 0x123 as it is sent and 0x124 as it may be
 * forwarded, in either encoding.
 */
import {
  type Encoding,
  encode,
  MAX_COUNTER,
  MAX_DATAGRAM,
  type Message,
  OP,
  PEER_ID_BYTES,
  peerIdFromBytes,
  SESSION_ID_BYTES,
  sessionIdFromBytes,
} from '@showchain/wire'

/** Base64url writes 3 bytes as 4 characters. */
const room = (encoding: Encoding, empty: Message): number => {
  const left = MAX_DATAGRAM - encode(empty, encoding).length
  return encoding === 'binary' ? left : Math.floor((left * 3) / 4)
}

/**
 * @param signatureLength of the sender's key.
 * @param encoding of the sender; the receiver's is not known to it.
 */
export function maxMessage(signatureLength: number, encoding: Encoding): number {
  const fields = {
    target: peerIdFromBytes(new Uint8Array(PEER_ID_BYTES)),
    id: peerIdFromBytes(new Uint8Array(PEER_ID_BYTES).fill(1)),
    data: new Uint8Array(0),
    session: sessionIdFromBytes(new Uint8Array(SESSION_ID_BYTES)),
    seq: MAX_COUNTER,
    ts: MAX_COUNTER,
  }
  const sent = room(encoding, { op_code: OP.proxyData, ...fields, sign: new Uint8Array(signatureLength) })
  return Math.min(sent, room('json', { op_code: OP.proxyPassData, ...fields }))
}
