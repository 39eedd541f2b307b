/** The 0x101 of a dial, to an address of the ticket. */
import { CAPS, MAX_DATAGRAM, type MessageOf, OP, type PeerId, type Unsigned } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import { signedLength } from '../endpoint/signed-messages.ts'

type DirectRequest = Unsigned<MessageOf<typeof OP.directRequest>>

/**
 * With a hello it says all that a path check would, and it is as long as a datagram may be, so that the answer is not longer, whatever key
 * the target has. In JSON it is not: there zeros make nothing longer.
 * @param hello left out where the request would not fit a datagram with it
 */
export function firstContact(
  { self, seedMode, spki, signatureLength, encoding }: PeerContext,
  target: PeerId,
  stamp: Stamp,
  cookie: Uint8Array | undefined,
  hello: Uint8Array | undefined,
): DirectRequest {
  const fields = { op_code: OP.directRequest, id: self, target, ...stamp } as const
  if (seedMode) return fields
  const ext = { key: spki, ...(cookie === undefined ? {} : { cookie }) }
  if (hello === undefined) return { ...fields, ext }
  const told = { ...ext, caps: CAPS.directData, hello }
  const lengthWith = (more: DirectRequest['ext']): number | undefined =>
    signedLength({ ...fields, ext: { ...told, ...more } }, signatureLength, encoding)
  if (lengthWith({}) === undefined) return { ...fields, ext }
  const length = encoding === 'binary' ? lengthWith({ pad: 0 }) : undefined
  return { ...fields, ext: { ...told, ...(length && { pad: MAX_DATAGRAM - length }) } }
}
