/**
 * CPace (draft-irtf-cfrg-cpace-21), a password-authenticated key exchange: two ends that know the same
 * short password get a strong key, and who does not know it can try one password in each run. Suite
 * CPACE-RISTR255-SHA512, with an initiator (A) and a responder (B), and key confirmation (§10.4).
 *
 *   A: Ya = ya * g    ── Ya, ADa ──►    B: Yb = yb * g
 *                     ◄── Yb, ADb ──
 *   both: K = y * Y,  ISK = H(lv_cat(DSI_ISK, sid, K) || lv_cat(Ya, ADa) || lv_cat(Yb, ADb))
 *                     ◄─ Ta, Tb ─►      each over what its sender has sent
 *
 * The entry point `@showchain/crypto/cpace`. Needs no Node.
 */
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { utf8 } from '@showchain/wire'
import type { Random } from '../core/index.ts'
import { sameBytes } from '../core/same-bytes.ts'
import { concat } from './bytes.ts'

/** An encoded element of the group (RFC 9496 §4). */
export const SHARE_BYTES = 32
/** HMAC of SHA-512. */
export const CONFIRMATION_BYTES = 64
/** G.DSI (§8.3). */
const DSI = utf8('CPaceRistretto255')
const DSI_ISK = utf8('CPaceRistretto255_ISK')
/** §10.4. */
const MAC_LABEL = utf8('CPaceMac')
/** H.s_in_bytes of SHA-512. */
const HASH_BLOCK = 128
/** Of the last byte of a scalar: 252 bits are left (§8.3), which is always below the group's order. */
const SCALAR_MASK = 0x0f
const AEAD_KEY = 32

type Point = InstanceType<typeof ristretto255.Point>

/** What both ends of a CPace exchange must have in common, and what each has. */
export interface CpaceInputs {
  /** PRS. */
  readonly password: Uint8Array
  /** CI: what both ends know of where they meet. Not sent. */
  readonly channel: Uint8Array
  /** sid: of this run alone. Not secret. */
  readonly session: Uint8Array
}

/** What an end sends first. */
export interface CpaceMessage {
  /** Y, SHARE_BYTES. */
  readonly share: Uint8Array
  /** AD: authenticated, not encrypted. It should have the sender's role. */
  readonly associated: Uint8Array
}

/** What an exchange gives. */
export interface CpaceKeys {
  /** For the other end, CONFIRMATION_BYTES: it shows that this end has the keys. */
  readonly confirmation: Uint8Array
  /** Whether the other end has the same keys, and so knew the password. */
  confirms(confirmation: Uint8Array): boolean
  /** A key of 32 bytes for one purpose: HKDF (RFC 5869) of the ISK. */
  key(purpose: string): Uint8Array
}

/** One end of one run. */
export class Cpace {
  readonly message: CpaceMessage
  readonly #role: 'initiator' | 'responder'
  readonly #session: Uint8Array
  /** Used once. */
  #scalar: bigint | undefined

  constructor(
    role: 'initiator' | 'responder',
    inputs: CpaceInputs,
    associated: Uint8Array,
    random: Pick<Random, 'bytes'>,
  ) {
    this.#role = role
    this.#session = inputs.session
    this.#scalar = scalarFrom(random.bytes(SHARE_BYTES))
    this.message = { share: generatorOf(inputs).multiply(this.#scalar).toBytes(), associated }
  }

  /**
   * Undefined if the other end's share is no element of the group, or the neutral one: then this run
   * is over, as it is after the first call.
   */
  finish(theirs: CpaceMessage): CpaceKeys | undefined {
    const scalar = this.#scalar
    this.#scalar = undefined
    const secret = scalar === undefined ? undefined : scalarMultVfy(scalar, theirs.share)
    if (secret === undefined) return undefined
    const [ours, their] = [lvCat(this.message.share, this.message.associated), lvCat(theirs.share, theirs.associated)]
    const transcript = this.#role === 'initiator' ? concat(ours, their) : concat(their, ours)
    const isk = sha512(concat(lvCat(DSI_ISK, this.#session, secret), transcript))
    const mac = sha512(concat(MAC_LABEL, this.#session, isk))
    const expected = hmac(sha512, mac, their)
    return {
      confirmation: hmac(sha512, mac, ours),
      confirms: (confirmation) => sameBytes(expected, confirmation),
      key: (purpose) => hkdf(sha512, isk, undefined, utf8(purpose), AEAD_KEY),
    }
  }
}

/** G.sample_scalar (§8.3), of 32 random bytes: 0 with a probability of 2^-252. */
function scalarFrom(bytes: Uint8Array): bigint {
  const masked = bytes.slice()
  masked[SHARE_BYTES - 1] = (masked[SHARE_BYTES - 1] as number) & SCALAR_MASK
  return ristretto255.Point.Fn.fromBytes(masked)
}

/** G.scalar_mult_vfy (§8.3); undefined for G.I. */
export function scalarMultVfy(scalar: bigint, share: Uint8Array): Uint8Array | undefined {
  let point: Point
  try {
    point = ristretto255.Point.fromBytes(share)
  } catch {
    return undefined
  }
  // The group has prime order: no other element gives the neutral one.
  return point.is0() ? undefined : point.multiply(scalar).toBytes()
}

/** G.calculate_generator (§8.3), with the element derivation of RFC 9496 §4.3.4. */
export function generatorOf(inputs: CpaceInputs): Point {
  const generator = ristretto255_hasher.deriveToCurve?.(sha512(generatorString(inputs)))
  if (generator === undefined) throw new Error('The library has no element derivation for ristretto255.')
  return generator
}

/** §8.1: the password fills the first block of the hash, so that its length takes no time. */
export function generatorString({ password, channel, session }: CpaceInputs): Uint8Array {
  const padding = Math.max(0, HASH_BLOCK - 1 - lvCat(password).length - lvCat(DSI).length)
  return lvCat(DSI, password, new Uint8Array(padding), channel, session)
}

/** Each part with its length before it, in LEB128 (appendix A.1). */
export function lvCat(...parts: readonly Uint8Array[]): Uint8Array {
  return concat(
    ...parts.flatMap((part) => {
      const length: number[] = []
      let rest = part.length
      for (; rest > 0x7f; rest >>>= 7) length.push((rest & 0x7f) | 0x80)
      return [Uint8Array.of(...length, rest), part]
    }),
  )
}
