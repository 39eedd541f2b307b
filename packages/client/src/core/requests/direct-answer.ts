/** The 0x102 that answers a 0x101 to this peer, before it is signed. */
import { CAPS, type Encoding, type Extensions, type MessageOf, OP, type Unsigned } from '@showchain/wire'
import { HELLO_ANSWER_BYTES } from '@showchain/wire/end-to-end'
import type { PeerContext } from '../context/peer-context.ts'
import type { Route } from '../endpoint/machine.ts'
import { signedLength } from '../endpoint/signed-messages.ts'

export type DirectRequest = MessageOf<typeof OP.directRequest>

/** What it says beside that: `hello` answers the one in the 0x101. */
type Said = Pick<Extensions, 'hello' | 'token'>

/**
 * It carries `key` iff the 0x101 did, and extensions only to a sender that showed that it knows
 * them.
 */
export function directAnswer(
  { self, spki, seedMode }: PeerContext,
  { seq, ts, ext: theirs }: DirectRequest,
  { ip, port }: Route,
  said: Said,
): Unsigned<MessageOf<typeof OP.directResponse>> {
  const fields = { op_code: OP.directResponse, id: self, seq, ts } as const
  if (theirs === undefined || seedMode) return fields
  const key = theirs.key === undefined ? {} : { key: spki }
  const ext: Extensions = { ...key, caps: CAPS.directData, observed: { ip, port }, ...said }
  return { ...fields, ext }
}

/**
 * Bytes that the 0x102 takes with an answer to the hello in the 0x101, and no token; undefined: there
 * can be none.
 */
export function answerLength(
  context: PeerContext,
  request: DirectRequest,
  encoding: Encoding,
  source: Route,
): number | undefined {
  if (request.ext?.hello === undefined || context.seedMode) return undefined
  const outline = directAnswer(context, request, source, { hello: new Uint8Array(HELLO_ANSWER_BYTES) })
  return signedLength(outline, context.signatureLength, encoding)
}
