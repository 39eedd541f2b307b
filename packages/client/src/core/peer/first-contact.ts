/** The 0x101 of a dial, to an address of the ticket. */
import { type MessageOf, OP, type PeerId, type Unsigned } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import { signedLength } from '../endpoint/signed-messages.ts'
import { padded } from '../requests/padded.ts'

type DirectRequest = Unsigned<MessageOf<typeof OP.directRequest>>

/**
 * With a hello it is padded, and without a cookie it shows the token that the target gave last.
 * @param hello left out where the request would not fit a datagram with it
 */
export function firstContact(
  context: PeerContext,
  target: PeerId,
  stamp: Stamp,
  cookie: Uint8Array | undefined,
  hello: Uint8Array | undefined,
): DirectRequest {
  const { self, seedMode, spki, signatureLength, encoding } = context
  const fields = { op_code: OP.directRequest, id: self, target, ...stamp } as const
  if (seedMode) return fields
  const ext = { key: spki, ...(cookie === undefined ? {} : { cookie }) }
  if (hello === undefined) return { ...fields, ext }
  const token = cookie === undefined ? context.acquaintances.token(target) : undefined
  const told = { ...fields, ext: { ...ext, hello } }
  const shown = token === undefined ? told : { ...told, ext: { ...told.ext, token } }
  const found = [shown, told].find((each) => signedLength(each, signatureLength, encoding) !== undefined)
  return found === undefined ? { ...fields, ext } : padded(context, found)
}
