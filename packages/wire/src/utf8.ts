/**
 * UTF-8 by TextEncoder and TextDecoder, which every runtime has, though es2023's library does not
 * declare them.
 */
import { equalBytes } from './bytes.ts'

interface Encoder {
  encode(text: string): Uint8Array<ArrayBuffer>
}
interface Decoder {
  decode(bytes: Uint8Array): string
}
const { TextEncoder, TextDecoder } = globalThis as unknown as {
  readonly TextEncoder: new () => Encoder
  readonly TextDecoder: new (label: 'utf-8', options: { readonly ignoreBOM: true }) => Decoder
}
const encoder = new TextEncoder()
// Not `fatal`, which throws: malformed datagrams must not cost an error each.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The bytes of a text. */
export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text)

/** Replaces bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd'

/** Undefined if the bytes are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  const text = decoder.decode(bytes)
  return !text.includes(REPLACEMENT) || equalBytes(utf8(text), bytes) ? text : undefined
}
