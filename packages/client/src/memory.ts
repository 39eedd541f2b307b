/**
 * What a peer keeps of those that it has met, in a store that the application supplies. What comes
 * out of it is checked: somebody else may have written it. A store that fails costs round trips, and
 * nothing else.
 */
import { endpointSchema, fromBase64url, MAX_TOKEN_BYTES, type PeerId, toBase64url } from '@showchain/wire'
import * as z from 'zod/mini'
import { type Acquaintance, type AcquaintanceStore, AcquaintancesInMemory } from './core/index.ts'

/**
 * A store of texts by peer id, asked during calls of the peer: it answers at once. The texts have no
 * key of this peer's, but they show whom it has met.
 */
export interface PeerMemory {
  /** What was set last; undefined: nothing. It may be forgotten at any time. */
  get(id: PeerId): string | undefined
  /**
   * Keeps a text, in place of the one before.
   * @param value undefined: there is nothing to keep any more
   */
  set(id: PeerId, value: string | undefined): void
}

/** An X25519 key (RFC 7748 §5). */
const KEY_BYTES = 32

const bytes = (min: number, max: number): z.ZodMiniType<Uint8Array> => {
  const fits = (read: unknown): boolean => read instanceof Uint8Array && read.length >= min && read.length <= max
  return z.pipe(z.pipe(z.string(), z.transform(fromBase64url)), z.custom<Uint8Array>(fits))
}

const schema = z.strictObject({
  version: z.literal(1),
  token: z.optional(bytes(1, MAX_TOKEN_BYTES)),
  staticKey: z.optional(z.strictObject({ key: bytes(KEY_BYTES, KEY_BYTES), untilMs: z.number() })),
  address: z.optional(z.strictObject({ endpoint: endpointSchema, untilMs: z.number() })),
})

function written({ token, staticKey, address }: Acquaintance): string {
  return JSON.stringify({
    version: 1,
    token: token && toBase64url(token),
    staticKey: staticKey && { ...staticKey, key: toBase64url(staticKey.key) },
    address,
  })
}

/** @param onWarning told once of what the store has that is none, and once that it fails */
export function storeOf(
  memory: PeerMemory | undefined,
  onWarning: ((sentence: string) => void) | undefined,
): AcquaintanceStore {
  if (memory === undefined) return new AcquaintancesInMemory()
  const warned = new Set<string>()
  const warn = (sentence: string): void => {
    if (!warned.has(sentence)) onWarning?.(sentence)
    warned.add(sentence)
  }
  return {
    get(id) {
      try {
        const text: unknown = memory.get(id)
        if (text === undefined) return undefined
        const read = schema.safeParse(JSON.parse(String(text)))
        if (read.success) {
          const { token, staticKey, address } = read.data
          return { token, staticKey, address }
        }
      } catch {
        // No JSON, or the store threw.
      }
      warn('The memory has something that this version did not write: it is not used.')
      return undefined
    },
    set(id, met) {
      try {
        memory.set(id, met && written(met))
      } catch {
        warn('The memory does not keep what it is given.')
      }
    },
  }
}
