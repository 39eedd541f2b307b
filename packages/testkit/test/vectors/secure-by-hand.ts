/**
 * A second, tiny implementation of the end-to-end layer, for tests only: node:crypto and nothing of
 * ours. Written from docs/protocol.md, The Noise Protocol Framework and RFC 9000. Hex in and out.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
} from 'node:crypto'
import type { EndVector, HelloVectorEnd, KeyPairHex } from '../../src/vectors/end-to-end/forms.ts'
import type { PlainFrame } from '../../src/vectors/end-to-end/plain-frames.ts'

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')
const ascii = (text: string): string => Buffer.from(text, 'ascii').toString('hex')
const idHex = (text: string): string => Buffer.from(text, 'base64url').toString('hex')
export const u = (value: number, size: number): string =>
  BigInt(value)
    .toString(16)
    .padStart(2 * size, '0')
const sha256 = (hex: string): string => createHash('sha256').update(bytes(hex)).digest('hex')
const hmac = (key: string, hex: string): string => createHmac('sha256', bytes(key)).update(bytes(hex)).digest('hex')

export const prologueByHand = (initiator: string, responder: string): string =>
  `${ascii('SHOWCHAIN-P2P-v1 end-to-end\0')}01${idHex(initiator)}${idHex(responder)}`
export const payloadByHand = ({ connectionId, current, namedStreams, certificate }: EndVector): string =>
  `01${namedStreams ? '02' : '00'}000000${connectionId}${current ?? '00'.repeat(16)}${certificate}`
export const certificatePreimageByHand = (staticKey: string, notBefore: number, notAfter: number): string =>
  `${ascii('SHOWCHAIN-P2P-v1 certificate\0')}${staticKey}${u(notBefore, 8)}${u(notAfter, 8)}`
export const certificateByHand = (notBefore: number, notAfter: number, spki: string, signature: string): string =>
  `${u(notBefore, 8)}${u(notAfter, 8)}${u(spki.length / 2, 2)}${spki}${signature}`
export const directPreimageByHand = (requester: string, responder: string, seq: number, ts: number): string =>
  `${ascii('SHOWCHAIN-P2P-v1 direct\0')}${idHex(requester)}${idHex(responder)}${u(seq, 8)}${u(ts, 8)}`
export const sessionByHand = (preimage: string): string => sha256(preimage).slice(0, 32)
export const partByHand = (session: string, kind: number, index: number, count: number, group: number): string =>
  `b2${'00'.repeat(8)}${session}${u(kind, 1)}${index}${count}${u(group, 4)}`

const privateObject = (raw: string): KeyObject =>
  createPrivateKey({ key: bytes(`302e020100300506032b656e04220420${raw}`), format: 'der', type: 'pkcs8' })
const publicObject = (raw: string): KeyObject =>
  createPublicKey({ key: bytes(`302a300506032b656e032100${raw}`), format: 'der', type: 'spki' })
export const publicByHand = (privateKey: string): string =>
  createPublicKey(privateObject(privateKey)).export({ format: 'der', type: 'spki' }).toString('hex').slice(-64)
const dh = (privateKey: string, publicKey: string): string =>
  diffieHellman({ privateKey: privateObject(privateKey), publicKey: publicObject(publicKey) }).toString('hex')

export function sealByHand(key: string, nonce: string, aad: string, plaintext: string): string {
  const cipher = createCipheriv('chacha20-poly1305', bytes(key), bytes(nonce), { authTagLength: 16 })
  cipher.setAAD(bytes(aad), { plaintextLength: plaintext.length / 2 })
  return Buffer.concat([cipher.update(bytes(plaintext)), cipher.final(), cipher.getAuthTag()]).toString('hex')
}

export function openByHand(key: string, nonce: string, aad: string, sealed: string): string {
  const decipher = createDecipheriv('chacha20-poly1305', bytes(key), bytes(nonce), { authTagLength: 16 })
  decipher.setAAD(bytes(aad), { plaintextLength: sealed.length / 2 - 16 })
  decipher.setAuthTag(bytes(sealed.slice(-32)))
  return Buffer.concat([decipher.update(bytes(sealed.slice(0, -32))), decipher.final()]).toString('hex')
}

/** 64-bit little-endian behind four zeros. */
const littleEndian = (value: bigint): string =>
  `00000000${Buffer.from(value.toString(16).padStart(16, '0'), 'hex').reverse().toString('hex')}`
export const nonceByHand = (epoch: number, number: number): string =>
  littleEndian((BigInt(epoch) << 48n) + BigInt(number))
export const rekeyByHand = (key: string): string =>
  sealByHand(key, littleEndian((1n << 64n) - 1n), '', '00'.repeat(32)).slice(0, 64)
export const headerByHand = (connectionId: string, epoch: number, number: number): string =>
  `b2${connectionId}${u(epoch, 2)}${u(number, 6)}`

/** SymmetricState and CipherState (§5.1, §5.2). */
class Symmetric {
  hash: string
  #chainingKey: string
  #key = ''
  #number = 0n

  constructor(pattern: 'XX' | 'NN' | 'NK') {
    this.hash = ascii(`Noise_${pattern}_25519_ChaChaPoly_SHA256`)
    this.#chainingKey = this.hash
  }

  mixHash(data: string): void {
    this.hash = sha256(this.hash + data)
  }

  mixKey(input: string): void {
    const [chainingKey, key] = this.#hkdf(input)
    this.#chainingKey = chainingKey
    this.#key = key
    this.#number = 0n
  }

  encrypt(plaintext: string): string {
    const sealed = this.#key === '' ? plaintext : sealByHand(this.#key, this.#nonce(), this.hash, plaintext)
    this.mixHash(sealed)
    return sealed
  }

  split(): readonly [string, string] {
    return this.#hkdf('')
  }

  #nonce(): string {
    return littleEndian(this.#number++)
  }

  #hkdf(input: string): [string, string] {
    const temporary = hmac(this.#chainingKey, input)
    const first = hmac(temporary, '01')
    return [first, hmac(temporary, `${first}02`)]
  }
}

interface XxEnd {
  readonly staticKey: KeyPairHex
  readonly ephemeralKey: KeyPairHex
}

/**
 * The messages of XX (§7.5), written with the keys of both ends, so that nothing has to be read.
 */
export function xxByHand(
  prologue: string,
  initiator: XxEnd,
  responder: XxEnd,
  payloads: readonly [string, string, string],
): { readonly messages: readonly string[]; readonly hash: string; readonly keys: readonly [string, string] } {
  const state = new Symmetric('XX')
  state.mixHash(prologue)
  const open = (key: string): string => {
    state.mixHash(key)
    return key
  }
  const one = open(initiator.ephemeralKey.publicKey) + state.encrypt(payloads[0])
  let two = open(responder.ephemeralKey.publicKey)
  state.mixKey(dh(responder.ephemeralKey.privateKey, initiator.ephemeralKey.publicKey))
  two += state.encrypt(responder.staticKey.publicKey)
  state.mixKey(dh(responder.staticKey.privateKey, initiator.ephemeralKey.publicKey))
  two += state.encrypt(payloads[1])
  let three = state.encrypt(initiator.staticKey.publicKey)
  state.mixKey(dh(initiator.staticKey.privateKey, responder.ephemeralKey.publicKey))
  three += state.encrypt(payloads[2])
  return { messages: [one, two, three], hash: state.hash, keys: state.split() }
}

/** Both values of a hello with the keys of both ends (docs/protocol.md, Hello). */
export function helloByHand({ requester, target, warm, answersWarm }: HelloByHand): {
  readonly values: readonly [string, string]
  readonly hash: string
  readonly keys: readonly [string, string]
} {
  const flags = (end: HelloVectorEnd): string =>
    `0${(end.mayRelay ? 1 : 0) + (end.dialled ? 2 : 0) + (end.namedStreams ? 4 : 0)}`
  const head = `${warm === null ? '01' : '02'}${flags(requester)}${requester.connectionId}`
  const prologue = `${ascii('SHOWCHAIN-P2P-v1 hello\0')}${head}${idHex(requester.id)}${idHex(target.id)}`
  const [e1, e2] = [requester.ephemeralKey, target.ephemeralKey]
  const begin = (pattern: 'NN' | 'NK'): readonly [Symmetric, string] => {
    const state = new Symmetric(pattern)
    state.mixHash(prologue)
    if (pattern === 'NK') state.mixHash(target.staticKey.publicKey)
    state.mixHash(e1.publicKey)
    if (pattern === 'NK') state.mixKey(dh(e1.privateKey, target.staticKey.publicKey))
    return [state, state.encrypt(pattern === 'NK' ? (warm ?? '') : '')]
  }
  const hint = sha256(target.staticKey.publicKey).slice(0, 16)
  const one = head + e1.publicKey + (warm === null ? '' : hint + begin('NK')[1])
  const [state] = begin(answersWarm ? 'NK' : 'NN')
  state.mixHash(e2.publicKey)
  state.mixKey(dh(e1.privateKey, e2.publicKey))
  const two = `${answersWarm ? '02' : '01'}${e2.publicKey}${state.encrypt(flags(target) + target.connectionId)}`
  return { values: [one, two], hash: state.hash, keys: state.split() }
}

interface HelloByHand {
  readonly requester: HelloVectorEnd
  readonly target: HelloVectorEnd & { readonly staticKey: KeyPairHex }
  /** Early frames, or null. */
  readonly warm: string | null
  readonly answersWarm: boolean
}

/**
 * Frames of RFC 9000 §19 and RFC 9221, as far as docs/protocol.md has them. Throws at anything
 * else.
 */
export function framesByHand(payload: string): { readonly frames: readonly PlainFrame[]; readonly eliciting: boolean } {
  const data = bytes(payload)
  let at = 0
  const take = (length: number): Buffer => {
    if (at + length > data.length) throw new Error('cut short')
    at += length
    return data.subarray(at - length, at)
  }
  const number = (): number => {
    const [first] = take(1) as unknown as [number]
    const rest = take((1 << (first >> 6)) - 1)
    const value = BigInt(`0x${u(first & 0x3f, 1)}${rest.toString('hex')}`)
    if (value >= 1n << 53n) throw new Error('too large')
    return Number(value)
  }
  const sized = (): Buffer => take(number())
  const frames: PlainFrame[] = []
  let eliciting = false
  while (at < data.length) {
    const type = number()
    if (![0, 2, 0x1a, 0x1b, 0x1d].includes(type)) eliciting = true
    if (type === 0 || type === 1) continue
    frames.push(frame(type))
  }
  return { frames, eliciting }

  function frame(type: number): PlainFrame {
    if (type >= 0x08 && type <= 0x0f) {
      const id = number()
      const offset = type & 4 ? number() : 0
      const content = type & 2 ? sized() : take(data.length - at)
      if (offset + content.length > Number.MAX_SAFE_INTEGER) throw new Error('too far')
      return { type: 'STREAM', stream: id, offset, fin: (type & 1) === 1, data: content.toString('hex') }
    }
    if (type === 0x02) return ack()
    if (type === 0x04) return { type: 'RESET_STREAM', stream: number(), code: number(), finalSize: number() }
    if (type === 0x05) return { type: 'STOP_SENDING', stream: number(), code: number() }
    if (type === 0x10) return { type: 'MAX_DATA', limit: number() }
    if (type === 0x11) return { type: 'MAX_STREAM_DATA', stream: number(), limit: number() }
    if (type === 0x12) return { type: 'MAX_STREAMS', limit: number() }
    if (type === 0x1a) return { type: 'PATH_CHALLENGE', token: take(8).toString('hex') }
    if (type === 0x1b) return { type: 'PATH_RESPONSE', token: take(8).toString('hex') }
    if (type === 0x2a) return { type: 'STATIC_KEY', key: take(32).toString('hex'), lifetime: take(4).readUInt32BE() }
    if (type === 0x30) return { type: 'DATAGRAM', data: take(data.length - at).toString('hex') }
    if (type === 0x31) return { type: 'DATAGRAM', data: sized().toString('hex') }
    if (type !== 0x1d) throw new Error('unknown')
    const code = number()
    const reason = sized()
    if (reason.length > 256) throw new Error('too long')
    return { type: 'CONNECTION_CLOSE', code, reason: reason.toString('latin1').replaceAll(/[^ -~]/g, '?') }
  }

  function ack(): PlainFrame {
    let highest = number()
    const delay = number()
    const ranges: [number, number][] = []
    for (let more = number(); more >= 0; more--) {
      const lowest = highest - number()
      if (lowest < 0) throw new Error('below zero')
      ranges.push([lowest, highest])
      if (more > 0) highest = lowest - number() - 2
    }
    return { type: 'ACK', ranges, delay }
  }
}
