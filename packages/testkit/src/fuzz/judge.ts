/** What must hold for every datagram, whatever its bytes. */
import {
  classify,
  type Decoded,
  decode,
  describe,
  encode,
  JSON_BYTE,
  type Message,
  MessageView,
  preimage,
  rowOf,
  type SignedMessage,
} from '@showchain/wire'
import { whyNot } from './json-oracle.ts'

const view = new MessageView()
/** Preimages are only asked for, not compared. */
const noHash = (): Uint8Array => new Uint8Array(32)

export interface Verdict {
  readonly accepted: boolean
  /** What is wrong with how our codec took the datagram. */
  readonly what?: string | undefined
}

export function judge(bytes: Uint8Array): Verdict {
  try {
    const decoded = decode(bytes)
    return decoded.ok
      ? { accepted: true, what: judgeAccepted(bytes, decoded) }
      : { accepted: false, what: judgeRefused(bytes) }
  } catch (error) {
    return { accepted: false, what: `threw ${error instanceof Error ? error.stack : String(error)}` }
  }
}

function judgeRefused(bytes: Uint8Array): string | undefined {
  // strict mode is about JSON members
  if (bytes[0] !== JSON_BYTE) return undefined
  return decode(bytes, { strict: true }).ok ? 'strict mode accepts what the default refuses' : undefined
}

function judgeAccepted(bytes: Uint8Array, { message, encoding }: Decoded & { readonly ok: true }): string | undefined {
  if (bytes.length > 1200) return 'accepted more than 1200 bytes'
  if (classify(bytes) !== encoding) return `accepted ${classify(bytes)} as ${encoding}`
  if (rowOf(message.op_code)?.signature !== undefined) preimage(message as SignedMessage, noHash)
  describe(message)
  if (encoding === 'json') return judgeJson(bytes, message)
  if (!same(encode(message, 'binary'), bytes)) return 'binary encodes to other bytes than it was read from'
  return view.parse(bytes) ? undefined : 'a view refuses what the decoder accepts'
}

/**
 * JSON has many texts for one message: it is the message that must come back, by way of binary too.
 */
function judgeJson(bytes: Uint8Array, message: Message): string | undefined {
  const canonical = encode(message, 'json')
  const differs = whyNot(Buffer.from(bytes).toString('utf8'), JSON.parse(Buffer.from(canonical).toString('utf8')))
  if (differs !== undefined) return differs
  const again = decode(canonical, { strict: true })
  if (!again.ok) return `refuses its own JSON: ${again.refusal}`
  if (!same(encode(again.message, 'json'), canonical)) return 'JSON does not come back as the same message'
  const binary = decode(encode(message, 'binary'))
  if (!binary.ok) return `binary of an accepted JSON message is refused: ${binary.refusal}`
  return same(encode(binary.message, 'json'), canonical) ? undefined : 'binary and JSON are different messages'
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && Buffer.compare(a, b) === 0
