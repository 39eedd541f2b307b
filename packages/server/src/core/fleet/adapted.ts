/**
 * What another node passes on to a peer of this one, as this one would have passed it on itself: in the
 * encoding of the peer's registration, and with the extension fields that are for it.
 */
import { encodeCounted } from '@showchain/client/endpoint'
import { decode, MAX_DATAGRAM, type Message, OP } from '@showchain/wire'
import { CHANNEL_HEADER_BYTES, isChannelFrame } from '@showchain/wire/end-to-end'
import type { Binding } from '../bindings.ts'
import { forwardedFields } from '../forwarded-fields.ts'
import type { RelayContext } from '../relay-context.ts'

/** What a relay passes on or says of a session; nothing else leaves in the name of another node. */
const PASSED: readonly number[] = [
  ...[OP.punchPassRequest, OP.sameAddressResponse, OP.punchPassAck, OP.proxyPassData, OP.proxyDataAck, OP.error],
]

/** The bytes for the peer; undefined for what no relay sends. */
export function adapted(context: RelayContext, datagram: Uint8Array, to: Binding): Uint8Array | undefined {
  if (isChannelFrame(datagram)) return datagram.length > CHANNEL_HEADER_BYTES ? datagram : undefined
  const decoded = datagram.length > MAX_DATAGRAM ? undefined : decode(datagram)
  if (decoded?.ok !== true || !PASSED.includes(decoded.message.op_code)) return undefined
  const message = restricted(decoded.message, to)
  if (message === decoded.message && decoded.encoding === to.encoding) return datagram
  return encodeCounted(context, message, to.encoding)
}

/** Introductions come with everything that they may have. */
function restricted(message: Message, to: Binding): Message {
  if (message.op_code !== OP.punchPassRequest && message.op_code !== OP.punchPassAck) return message
  const { ext: { key, ...ext } = {}, ...fields } = message
  const receiverKnowsExtensions = to.knowsExtensions && key !== undefined
  const passed = forwardedFields(ext, {
    receiverKnowsExtensions,
    sharesAddress: message.ip === to.source.ip,
    spki: key ?? new Uint8Array(0),
  })
  return { ...fields, ...passed } as Message
}
