/**
 * What somebody without any key can send to a relay or a peer, made beforehand. Each is as right as
 * it can be without one: wrong only where a key would be needed.
 */
import { randomBytes, randomFillSync, randomInt } from 'node:crypto'
import { openssl } from '@showchain/crypto'
import { BINARY_BYTE, encode, JSON_BYTE, OP, type PeerId, peerIdFromBytes, RECORD_BYTE } from '@showchain/wire'
import { HANDSHAKE_KIND, writeHandshakePart } from '@showchain/wire/end-to-end'

export type Forgery = 'garbage' | 'first contacts' | 'keep-alives' | 'records' | 'handshakes'

export interface Victim {
  /** Whom requests name as their target. */
  readonly id: PeerId
  /** SubjectPublicKeyInfo of some RSA-2048 key. */
  readonly spki: Uint8Array
  /** Whom keep-alives claim to come from. */
  readonly peers: readonly PeerId[]
}

/** Different packets of each kind: the flood repeats them. */
const COUNT = 4096
/** A modulus stands behind the header of an RSA-2048 SubjectPublicKeyInfo. */
const MODULUS_AT = 33
const MODULUS_BYTES = 256
const MAX_BYTES = 1200
const SESSION_BYTES = 16

/** A key that OpenSSL imports and nobody has. */
export function forgedKey(template: Uint8Array): Uint8Array {
  const spki = template.slice()
  const modulus = randomFillSync(spki.subarray(MODULUS_AT, MODULUS_AT + MODULUS_BYTES))
  modulus[0] = (modulus[0] as number) | 0x80
  modulus[MODULUS_BYTES - 1] = (modulus[MODULUS_BYTES - 1] as number) | 1
  return spki
}

const FORGERS: Readonly<Record<Forgery, (victim: Victim, index: number) => Uint8Array>> = {
  garbage: (_victim, index) => {
    const bytes = randomBytes(randomInt(1, MAX_BYTES))
    bytes[0] = [BINARY_BYTE, JSON_BYTE, randomInt(256)][index % 3] as number
    return bytes
  },
  'first contacts': ({ id: target, spki }) => {
    const key = forgedKey(spki)
    const id = peerIdFromBytes(openssl.sha256(key))
    const stamp = { seq: randomInt(2 ** 47), ts: Date.now() }
    return encode(
      { op_code: OP.directRequest, id, target, ...stamp, sign: randomBytes(MODULUS_BYTES), ext: { key } },
      'binary',
    )
  },
  'keep-alives': ({ peers }, index) => {
    const known = index % 2 === 0 ? peers[index % peers.length] : undefined
    return encode({ op_code: OP.keepAlive, id: known ?? peerIdFromBytes(randomBytes(32)), seq: 0, ts: 0 }, 'binary')
  },
  records: () => {
    const bytes = randomBytes(MAX_BYTES)
    bytes[0] = RECORD_BYTE
    return bytes
  },
  handshakes: (_victim, index) =>
    writeHandshakePart({
      session: randomBytes(SESSION_BYTES),
      kind: index % (HANDSHAKE_KIND.third + 1),
      index: index % 2,
      count: 2,
      group: randomInt(2 ** 32),
      bytes: randomBytes(600),
    }),
}

export const forgeries = (kind: Forgery, victim: Victim): readonly Uint8Array[] =>
  Array.from({ length: COUNT }, (_, index) => FORGERS[kind](victim, index))
