/**
 * Fixed values that tests write expectations about by hand: each byte string is one byte repeated,
 * so it is seen in hex.
 */
import {
  type Encoding,
  encode,
  type Message,
  type MessageOf,
  type OP,
  type PeerId,
  parsePeerId,
  type SessionId,
  ShowchainError,
} from '../src/index.ts'

/** 32 bytes 0x11: base64url writes three bytes 0x11 0x11 0x11 as `ERER`. */
export const ALICE: PeerId = parsePeerId(`${'ERER'.repeat(10)}ERE`)
export const ALICE_HEX = '11'.repeat(32)
/** 32 bytes 0x22. */
export const BOB: PeerId = parsePeerId(`${'IiIi'.repeat(10)}IiI`)
export const BOB_HEX = '22'.repeat(32)
/** 16 bytes 0x33. */
export const SESSION = `${'MzMz'.repeat(5)}Mw` as SessionId
export const SESSION_HEX = '33'.repeat(16)

export const repeat = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte)
export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
export const fromHex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'))
export const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'utf8'))

/** seq 7 and ts 0x0000019a_b2c3d4e5 (1,763,935,769,829). */
export const SEQ = 7
export const SEQ_HEX = '0000000000000007'
export const TS = 0x19a_b2c3_d4e5
export const TS_HEX = '0000019ab2c3d4e5'

export const KEEP_ALIVE: MessageOf<typeof OP.keepAlive> = { op_code: 0x100, id: ALICE, seq: 0, ts: 0 }
export const DIRECT_REQUEST: MessageOf<typeof OP.directRequest> = {
  op_code: 0x101,
  id: ALICE,
  target: BOB,
  seq: SEQ,
  ts: TS,
  sign: repeat(0x55, 256),
}
export const PUNCH_PASS_REQUEST: MessageOf<typeof OP.punchPassRequest> = {
  op_code: 0x112,
  target: BOB,
  id: ALICE,
  seq: SEQ,
  ts: TS,
  ip: '192.0.2.1',
  port: 4000,
  session: SESSION,
  sign: repeat(0x55, 256),
}
export const PROXY_DATA: MessageOf<typeof OP.proxyData> = {
  op_code: 0x123,
  target: BOB,
  id: ALICE,
  data: ascii('hi'),
  session: SESSION,
  seq: SEQ,
  ts: TS,
  sign: repeat(0x55, 256),
}
export const CHALLENGE: MessageOf<typeof OP.challenge> = {
  op_code: 0x1f1,
  cookie: repeat(0x66, 8),
  ref_op: 0x101,
  seq: SEQ,
  ts: TS,
}

/** The JSON text of a message's members, spelled as the test likes. */
export const json = (members: object): Uint8Array => ascii(JSON.stringify(members))

/** `DIRECT_REQUEST` in JSON, by hand: 256 bytes 0x55 are 85 times `VVVV` and `VQ`. */
export const DIRECT_REQUEST_JSON: Readonly<Record<string, unknown>> = {
  op_code: 257,
  id: ALICE,
  target: BOB,
  seq: 7,
  ts: 1763935769829,
  sign: `${'VVVV'.repeat(85)}VQ`,
}

/** What `decode` answers for a message. */
export const accepted = (message: Message, encoding: 'binary' | 'json'): object => ({ ok: true, message, encoding })
export const refused = (refusal: string): object => ({ ok: false, refusal })

/** The datagram, or undefined when the message does not fit one. */
export function encodeIfFits(message: Message, encoding: Encoding): Uint8Array | undefined {
  try {
    return encode(message, encoding)
  } catch (error) {
    if (error instanceof ShowchainError && error.code === 'ERR_TOO_LARGE') return undefined
    throw error
  }
}
