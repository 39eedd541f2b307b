/** UTF-8 by the WHATWG Encoding classes that every JavaScript runtime has; the language's own library does not name them. */
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
// not `fatal`: that throws, and what strangers send must not cost an error each
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text)

/** What a decoder writes in place of bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd'

/** The text, or undefined when the bytes are not UTF-8. */
export function fromUtf8(bytes: Uint8Array): string | undefined {
  const text = decoder.decode(bytes)
  return !text.includes(REPLACEMENT) || equalBytes(utf8(text), bytes) ? text : undefined
}
