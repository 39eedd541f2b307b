/**
 * A 0x101 to an address that has not proved itself to its receiver, as long as a datagram may be, so
 * that the answer is not longer, whatever key the receiver has. In JSON it is not padded.
 */
import { MAX_DATAGRAM, type MessageOf, type OP, type Unsigned } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import { signedLength } from '../endpoint/signed-messages.ts'

type Request = Unsigned<MessageOf<typeof OP.directRequest>>

export function padded({ signatureLength, encoding }: PeerContext, request: Request): Request {
  if (encoding !== 'binary') return request
  const length = signedLength({ ...request, ext: { ...request.ext, pad: 0 } }, signatureLength, encoding)
  return length === undefined ? request : { ...request, ext: { ...request.ext, pad: MAX_DATAGRAM - length } }
}
