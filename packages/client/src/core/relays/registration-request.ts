/** The 0x101 that registers with a relay. */
import { readSpki } from '@showchain/crypto/core'
import { type MessageOf, OP, type PeerId, type Unsigned } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import { signedLength } from '../endpoint/signed-messages.ts'
import { padded } from '../requests/padded.ts'

type Request = Unsigned<MessageOf<typeof OP.directRequest>>

interface Circumstances {
  /** Of the challenge that it answers. */
  readonly cookie: Uint8Array | undefined
  /** Whether seed mode is worth a try: the relay did not answer so far. */
  readonly tries: boolean
  /** Whether a dial waits. */
  readonly dials: boolean
}

/**
 * It carries only key and cookie, what lets this peer in there, or, where a dial waits, the token that
 * the relay gave last: that proves less, so another registration is better proven by a cookie. A relay
 * that is known by configuration may speak only the seed: a try in seed mode is lost on another.
 */
export function registrationRequest(
  context: PeerContext,
  relay: PeerId,
  stamp: Stamp,
  { cookie, tries, dials }: Circumstances,
): Request {
  const { self, keys, seedMode, spki, acquaintances, encoding, permits } = context
  const fields = { op_code: OP.directRequest, id: self, target: relay, ...stamp } as const
  if (seedMode || (tries && cookie === undefined && keys.get(relay) !== undefined)) return fields
  const permit = permits.get(relay)
  const token = cookie === undefined && dials && encoding === 'binary' ? acquaintances.token(relay) : undefined
  const shown = { ...(cookie && { cookie }), ...(token && { token }), ...(permit && { permit }) }
  const request = { ...fields, ext: { key: spki, ...shown } }
  const fitting = permit === undefined || fits(context, request) ? request : shorter(spki, { ...fields, ext: shown })
  return token === undefined ? fitting : padded(context, fitting)
}

/** With the header of `pad`, which it may have as well. */
const fits = ({ signatureLength, encoding }: PeerContext, request: Request): boolean =>
  signedLength({ ...request, ext: { ...request.ext, pad: 0 } }, signatureLength, encoding) !== undefined

/** What stands around the modulus of a key is the same for all. */
const shorter = (spki: Uint8Array, request: Request): Request => ({
  ...request,
  ext: { ...request.ext, modulus: readSpki(spki).bytes },
})
