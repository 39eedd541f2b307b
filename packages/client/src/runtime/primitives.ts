/**
 * Whether the runtime can do what a protected connection needs, tried on the examples of the RFCs:
 * a runtime that lacks something would fail later, in words about the remote peer.
 */
import { AEAD_TAG_BYTES } from '@showchain/crypto/core'
import { ShowchainError } from '@showchain/wire'
import type { Runtime } from './runtime.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)
const same = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a?.length === b.length && b.every((byte, at) => a[at] === byte)

type Primitives = Pick<Runtime, 'provider' | 'endToEnd'>

/** By name: true when the runtime does as the example says. */
const EXAMPLES: Readonly<Record<string, (runtime: Primitives) => boolean>> = {
  /** FIPS 180-2, B.1. */
  'SHA-256': ({ provider }) =>
    same(provider.sha256(ascii('abc')), hex('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')),
  /** RFC 4231, 4.3. */
  'HMAC-SHA-256': ({ provider }) =>
    same(
      provider.hmacSha256(ascii('Jefe'), ascii('what do ya want for nothing?')),
      hex('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'),
    ),
  /** RFC 7748, 5.2. */
  X25519: ({ endToEnd }) =>
    same(
      endToEnd.x25519(
        hex('a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4'),
        hex('e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c'),
      ),
      hex('c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552'),
    ),
  /** RFC 8439, 2.8.2. */
  'ChaCha20-Poly1305': ({ endToEnd }) => {
    const aead = endToEnd.aead(Uint8Array.from({ length: 32 }, (_, at) => 0x80 + at))
    const [nonce, aad] = [hex('070000004041424344454647'), hex('50515253c0c1c2c3c4c5c6c7')]
    const text = ascii(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    )
    const sealed = new Uint8Array(text.length + AEAD_TAG_BYTES)
    aead.seal(nonce, aad, text, sealed, 0)
    const tag = sealed.subarray(text.length)
    return same(tag, hex('1ae10b594f09e26a7e902ecbd0600691')) && same(aead.open(nonce, aad, sealed), text)
  },
}

function works(example: (runtime: Primitives) => boolean, runtime: Primitives): boolean {
  try {
    return example(runtime)
  } catch {
    return false
  }
}

const checked = new WeakSet<Primitives['endToEnd']>()

/** @throws ShowchainError `ERR_RUNTIME` that names what is missing */
export function checkPrimitives(runtime: Primitives): void {
  if (checked.has(runtime.endToEnd)) return
  const missing = Object.keys(EXAMPLES).filter((name) => !works(EXAMPLES[name] as (typeof EXAMPLES)[string], runtime))
  if (missing.length > 0) throw new ShowchainError('ERR_RUNTIME', `It has no ${missing.join(', no ')}.`)
  checked.add(runtime.endToEnd)
}
