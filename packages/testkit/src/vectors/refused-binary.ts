/**
 * Binary datagrams that every decoder refuses, each with the rule that it breaks. Written in hex,
 * field by field, without our codec.
 */
import type { RefusedVector } from './files.ts'

const SEQ = '0000123456789abc'
const TS = '0000019b76daa07b'
const SESSION = 'a0a1a2a3a4a5a6a7a8a9aaabacadaeaf'
const ZERO = '0000000000000000'
const V4 = '04cb007107'
const PORT = '9c40'
const MAPPED = `0600000000000000000000ffffcb007107`

/** Building blocks of the binary cases. */
export interface BinaryParts {
  /** Hex of a valid 0x101 from the requester to the target. */
  readonly request: string
  /** Ids in hex. */
  readonly id: string
  readonly targetId: string
}

export function refusedBinary({ request, id, targetId }: BinaryParts): readonly RefusedVector[] {
  const sign = request.slice(-2 * 258)
  const passed = (ip: string, port: string): string => `b10112${targetId}${id}${SEQ}${TS}${ip}${port}${SESSION}${sign}`
  const response = `b10102${targetId}${SEQ}${TS}${sign}`
  const cases: readonly (readonly [reason: string, name: string, datagram: string])[] = [
    ['size', 'an empty datagram', ''],
    ['size', 'a datagram of 1201 bytes', `${request}c80359${'00'.repeat(1201 - request.length / 2 - 3)}`],
    ['class', 'first byte 0xb0', `b0${request.slice(2)}`],
    ['class', 'first byte 0xb4', `b4${request.slice(2)}`],
    ['class', 'an end-to-end record', `b2${'00'.repeat(40)}`],
    ['class', 'a channel frame', `b3${'00'.repeat(56)}`],
    ['class', 'a STUN binding request', '000100002112a442000102030405060708090a0b'],
    ['field', 'the version byte alone', 'b1'],
    ['field', 'half an op code', 'b101'],
    ['op', 'op code 0x0000', `b10000${request.slice(6)}`],
    ['op', 'op code 0x0103, between two of the table', `b10103${request.slice(6)}`],
    ['op', 'op code 0x0126, behind the last of the seed', `b10126${SESSION}${SEQ}${TS}`],
    ['op', 'an op code in little-endian order', `b10201${request.slice(6)}`],
    ['field', 'no fields', 'b10101'],
    ['field', 'the last byte missing', request.slice(0, -2)],
    ['field', 'seq of 2^53', `b10125${SESSION}0020000000000000${TS}`],
    ['field', 'ts of 2^53', `b10125${SESSION}${SEQ}0020000000000000`],
    ['field', 'seq of 2^64−1', `b10125${SESSION}ffffffffffffffff${TS}`],
    ['field', 'port 0', passed(V4, '0000')],
    ['field', 'address family 0', passed('00cb007107', PORT)],
    ['field', 'address family 5', passed('05cb007107', PORT)],
    ['field', 'an IPv4 address as family 6', passed('06cb007107', PORT)],
    ['field', 'an IPv4-mapped address as family 6', passed(MAPPED, PORT)],
    ['field', 'a signature of 0 bytes', `${request.slice(0, -2 * 258)}0000`],
    ['field', 'a signature of 128 bytes, RSA-1024', `${request.slice(0, -2 * 258)}0080${'55'.repeat(128)}`],
    ['field', 'a signature of 255 bytes', `${request.slice(0, -2 * 258)}00ff${'55'.repeat(255)}`],
    ['field', 'a signature of 257 bytes', `${request.slice(0, -2 * 258)}0101${'55'.repeat(257)}`],
    ['field', 'a length that runs past the end', `b10124${targetId}${id}0400${SESSION}${SEQ}${TS}`],
    ['field', 'a challenge with an empty cookie', `b101f100000101${SEQ}${TS}`],
    ['field', 'a challenge with a cookie of 65 bytes', `b101f10041${'c0'.repeat(65)}0101${SEQ}${TS}`],
    ['rule', 'a keep-alive with a seq', `b10100${id}0000000000000001${ZERO}`],
    ['rule', 'a keep-alive with a ts', `b10100${id}${ZERO}0000000000000001`],
    ['rule', 'a direct request to its own id', `b10101${id}${id}${SEQ}${TS}${sign}`],
    ['rule', 'a punch request to its own id', `b10111${id}${id}${SEQ}${TS}${sign}`],
    ['rule', 'a passed punch request to its own id', passed(V4, PORT).replace(targetId, id)],
    ['rule', 'a proxy request to its own id', `b10121${id}${id}${SEQ}${TS}${sign}`],
    ['rule', 'proxied data to its own id', `b10123${id}${id}0000${SESSION}${SEQ}${TS}${sign}`],
    ['rule', 'passed data to its own id', `b10124${id}${id}0000${SESSION}${SEQ}${TS}`],
    ['extension', 'one zero byte behind the message', `${request}00`],
    ['extension', 'a line end behind the message', `${request}0a`],
    ['extension', 'a type without a length', `${request}c8`],
    ['extension', 'a type with half a length', `${request}c800`],
    ['extension', 'a value one byte short', `${request}c8000201`],
    ['extension', 'a byte behind the last extension field', `${request}c80001ff00`],
    ['extension', 'types in descending order', `${request}c90000c80000`],
    ['extension', 'a known type behind a higher unknown one', `${request}c80000030004${'00000001'}`],
    ['extension', 'an unknown type twice', `${request}c80000c80000`],
    ['extension', 'a known type twice', `${request}03000400000001${'03000400000001'}`],
    ['extension', 'an empty key', `${request}010000`],
    ['extension', 'a key of 601 bytes', `${request}010259${'30'.repeat(601)}`],
    ['extension', 'an empty cookie', `${request}020000`],
    ['extension', 'a cookie of 65 bytes', `${request}020041${'c0'.repeat(65)}`],
    ['extension', 'caps of 3 bytes', `${request}030003000001`],
    ['extension', 'caps of 5 bytes', `${request}0300050000000001`],
    ['extension', 'nat of 1 byte', `${request}04000101`],
    ['extension', 'a mapping of 4', `${request}0400020400`],
    ['extension', 'a filtering of 255', `${request}04000200ff`],
    ['extension', 'no local candidate', `${request}050000`],
    ['extension', 'five local candidates', `${request}050023${`${V4}${PORT}`.repeat(5)}`],
    ['extension', 'a local candidate without its port', `${request}050005${V4}`],
    ['extension', 'a local candidate with port 0', `${request}050007${V4}0000`],
    ['extension', 'a local candidate that is IPv4-mapped', `${request}050013${MAPPED}${PORT}`],
    ['extension', 'a local candidate and one byte', `${request}050008${V4}${PORT}04`],
    ['extension', 'kx of 31 bytes', `${request}06001f${'40'.repeat(31)}`],
    ['extension', 'kx of 33 bytes', `${request}060021${'40'.repeat(33)}`],
    ['extension', 'hello of 41 bytes', `${request}080029${'40'.repeat(41)}`],
    ['extension', 'an empty token', `${request}090000`],
    ['extension', 'a token of 65 bytes', `${request}090041${'c0'.repeat(65)}`],
    ['extension', 'a pad that is not zeros', `${request}0b0002${'0001'}`],
    ['extension', 'no observed address', `${response}070000`],
    ['extension', 'two observed addresses', `${response}07000e${`${V4}${PORT}`.repeat(2)}`],
    ['extension', 'an observed address with port 0', `${response}070007${V4}0000`],
  ]
  return cases.map(([reason, name, datagram]) => ({ name: `binary: ${name}`, reason, datagram }))
}
