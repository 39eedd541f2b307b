/** The 0x101 that registers with a relay. */
import { type MessageOf, OP, type PeerId, type Unsigned } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
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
 * It carries only key and cookie, or, where a dial waits, the token that the relay gave last: that
 * proves less, so another registration is better proven by a cookie. A relay that is known by
 * configuration may speak only the seed: a try in seed mode is lost on another.
 */
export function registrationRequest(
  context: PeerContext,
  relay: PeerId,
  stamp: Stamp,
  { cookie, tries, dials }: Circumstances,
): Request {
  const { self, keys, seedMode, spki, acquaintances, encoding } = context
  const fields = { op_code: OP.directRequest, id: self, target: relay, ...stamp } as const
  if (seedMode || (tries && cookie === undefined && keys.get(relay) !== undefined)) return fields
  const ext = { key: spki, ...(cookie === undefined ? {} : { cookie }) }
  const token = cookie === undefined && dials && encoding === 'binary' ? acquaintances.token(relay) : undefined
  return token === undefined ? { ...fields, ext } : padded(context, { ...fields, ext: { ...ext, token } })
}
