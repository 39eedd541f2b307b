/**
 * Payloads of frames (RFC 9000 §19, RFC 9221) and their content, both written by hand.
 */
import { toHex } from '../hex.ts'
import type { FrameFile, FramesVector, RefusedBytes } from './forms.ts'
import type { PlainFrame } from './plain-frames.ts'

const TOKEN = '0102030405060708'
const KEY = '5a'.repeat(32)
const MAX = Number.MAX_SAFE_INTEGER
const MAX_VARINT = 'c01fffffffffffff'

type Case = readonly [name: string, payload: string, frames: readonly PlainFrame[], eliciting?: boolean]

/** As this project encodes them. */
const CANONICAL: readonly Case[] = [
  ['ACK of one record', '02 00 00 00 00', [{ type: 'ACK', ranges: [[0, 0]], delay: 0 }], false],
  ['ACK of a range', '02 4100 4c35 00 3f', [{ type: 'ACK', ranges: [[193, 256]], delay: 3125 }], false],
  [
    'ACK of three ranges',
    '02 14 19 02 00 01 02 00 04',
    [
      {
        type: 'ACK',
        ranges: [
          [20, 20],
          [15, 17],
          [9, 13],
        ],
        delay: 25,
      },
    ],
    false,
  ],
  [
    'ACK of the largest number',
    '02 c000ffffffffffff 00 00 00',
    [{ type: 'ACK', ranges: [[2 ** 48 - 1, 2 ** 48 - 1]], delay: 0 }],
    false,
  ],
  ['RESET_STREAM', '04 05 4100 80010000', [{ type: 'RESET_STREAM', stream: 5, code: 256, finalSize: 65_536 }]],
  ['STOP_SENDING', '05 00 07', [{ type: 'STOP_SENDING', stream: 0, code: 7 }]],
  ['STREAM', '0e 00 00 03 616263', [{ type: 'STREAM', stream: 0, offset: 0, fin: false, data: '616263' }]],
  ['STREAM with FIN', '0f 03 4400 01 7a', [{ type: 'STREAM', stream: 3, offset: 1024, fin: true, data: '7a' }]],
  ['STREAM with FIN and no data', '0f 41ff 05 00', [{ type: 'STREAM', stream: 511, offset: 5, fin: true, data: '' }]],
  [
    'STREAM up to the largest offset',
    '0e 00 c01ffffffffffffe 01 ff',
    [{ type: 'STREAM', stream: 0, offset: MAX - 1, fin: false, data: 'ff' }],
  ],
  ['MAX_DATA', '10 80100000', [{ type: 'MAX_DATA', limit: 1_048_576 }]],
  ['MAX_DATA of the largest number', `10 ${MAX_VARINT}`, [{ type: 'MAX_DATA', limit: MAX }]],
  ['MAX_STREAM_DATA', '11 02 80040000', [{ type: 'MAX_STREAM_DATA', stream: 2, limit: 262_144 }]],
  ['MAX_STREAMS', '12 4100', [{ type: 'MAX_STREAMS', limit: 256 }]],
  ['PATH_CHALLENGE', `1a ${TOKEN}`, [{ type: 'PATH_CHALLENGE', token: TOKEN }], false],
  ['PATH_RESPONSE', `1b ${TOKEN}`, [{ type: 'PATH_RESPONSE', token: TOKEN }], false],
  ['CONNECTION_CLOSE', '1d 00 04 646f6e65', [{ type: 'CONNECTION_CLOSE', code: 0, reason: 'done' }], false],
  ['CONNECTION_CLOSE without a reason', '1d 03 00', [{ type: 'CONNECTION_CLOSE', code: 3, reason: '' }], false],
  [
    'CONNECTION_CLOSE with the longest reason',
    `1d 01 4100 ${'78'.repeat(256)}`,
    [{ type: 'CONNECTION_CLOSE', code: 1, reason: 'x'.repeat(256) }],
    false,
  ],
  ['DATAGRAM', '31 02 6869', [{ type: 'DATAGRAM', data: '6869' }]],
  ['DATAGRAM without bytes', '31 00', [{ type: 'DATAGRAM', data: '' }]],
  ['STATIC_KEY', `2a ${KEY} 00093a80`, [{ type: 'STATIC_KEY', key: KEY, lifetime: 604_800 }]],
  ['STATIC_KEY of the longest life', `2a ${KEY} ffffffff`, [{ type: 'STATIC_KEY', key: KEY, lifetime: 0xffff_ffff }]],
  [
    'an ACK and a STREAM',
    '02 01 00 00 01 0e 00 00 02 6869',
    [
      { type: 'ACK', ranges: [[0, 1]], delay: 0 },
      { type: 'STREAM', stream: 0, offset: 0, fin: false, data: '6869' },
    ],
  ],
]

/** Accepted, but encoded differently by this project. */
const ACCEPTED: readonly Case[] = [
  ['no frames', '', [], false],
  ['PING', '01', []],
  ['PADDING', '00 00 00', [], false],
  ['PING and PADDING', '01 00 00', []],
  ['PADDING in front of a frame', '00 00 12 01', [{ type: 'MAX_STREAMS', limit: 1 }]],
  ['a type in two bytes', '4012 01', [{ type: 'MAX_STREAMS', limit: 1 }]],
  ['numbers in more bytes than they need', '10 c000000000000007', [{ type: 'MAX_DATA', limit: 7 }]],
  [
    'STREAM without offset and length',
    '08 04 616263',
    [{ type: 'STREAM', stream: 4, offset: 0, fin: false, data: '616263' }],
  ],
  ['STREAM with FIN alone', '09 04 6162', [{ type: 'STREAM', stream: 4, offset: 0, fin: true, data: '6162' }]],
  ['STREAM with length alone', '0a 04 01 61 01', [{ type: 'STREAM', stream: 4, offset: 0, fin: false, data: '61' }]],
  ['STREAM with FIN and length', '0b 04 01 61 01', [{ type: 'STREAM', stream: 4, offset: 0, fin: true, data: '61' }]],
  ['STREAM with offset alone', '0c 04 09 6162', [{ type: 'STREAM', stream: 4, offset: 9, fin: false, data: '6162' }]],
  ['STREAM with FIN and offset', '0d 04 09 61', [{ type: 'STREAM', stream: 4, offset: 9, fin: true, data: '61' }]],
  ['DATAGRAM to the end', '30 6869', [{ type: 'DATAGRAM', data: '6869' }]],
  [
    'a reason that does not print',
    '1d 00 05 610ac3a97f',
    [{ type: 'CONNECTION_CLOSE', code: 0, reason: 'a????' }],
    false,
  ],
]

const REFUSED: Readonly<Record<string, string>> = {
  'type 0x03, ACK with ECN counts': '03 00 00 00 00 00 00 00',
  'type 0x06, CRYPTO': '06 00 01 61',
  'type 0x07, NEW_TOKEN': '07 01 61',
  'type 0x13, MAX_STREAMS of one way': '13 01',
  'type 0x14, DATA_BLOCKED': '14 01',
  'type 0x18, NEW_CONNECTION_ID': `18 01 00 08 ${TOKEN} ${'00'.repeat(16)}`,
  'type 0x1c, CONNECTION_CLOSE of QUIC': '1c 00 00 00',
  'type 0x1e, HANDSHAKE_DONE': '1e',
  'type 0x32': '32 00',
  'a type of four bytes that is unknown': '80010000',
  'half a type': '40',
  'an ACK cut short': '02 05 00 00',
  'an ACK whose first range goes below zero': '02 05 00 00 06',
  'an ACK whose gap goes below zero': '02 05 00 01 00 04 00',
  'an ACK whose second range goes below zero': '02 05 00 01 00 01 03',
  'an ACK with fewer ranges than it says': '02 05 00 02 00 00 00',
  'a STREAM without an id': '08',
  'a STREAM whose length is past the end': '0a 00 03 6162',
  'a STREAM past the largest offset': '0e 00 c01fffffffffffff 01 ff',
  'a STREAM whose offset is above 2^53 − 1': '0c 00 c020000000000000 61',
  'a RESET_STREAM cut short': '04 00 00',
  'a STOP_SENDING cut short': '05 00',
  'a MAX_DATA of 2^53': '10 c020000000000000',
  'a MAX_DATA of 2^62 − 1': '10 ffffffffffffffff',
  'a MAX_STREAM_DATA cut short': '11 00',
  'a MAX_STREAMS without a number': '12',
  'a PATH_CHALLENGE of 7 bytes': '1a 01020304050607',
  'a STATIC_KEY of 31 bytes and a lifetime': `2a ${KEY.slice(2)} 00093a80`,
  'a STATIC_KEY without its lifetime': `2a ${KEY}`,
  'a PATH_RESPONSE of 7 bytes': '1b 01020304050607',
  'a CONNECTION_CLOSE whose reason is past the end': '1d 00 05 61',
  'a CONNECTION_CLOSE with a reason of 257 bytes': `1d 00 4101 ${'78'.repeat(257)}`,
  'a DATAGRAM whose length is past the end': '31 03 6869',
  'a good frame and half of another': '12 01 12',
}

/** RFC 9000 appendix A.1, and the borders of each length. */
const VARINTS: readonly (readonly [bytes: string, value: number, shortest?: false])[] = [
  ['00', 0],
  ['25', 37],
  ['4025', 37, false],
  ['3f', 63],
  ['4040', 64],
  ['7bbd', 15_293],
  ['7fff', 16_383],
  ['80004000', 16_384],
  ['9d7f3e7d', 494_878_333],
  ['bfffffff', 1_073_741_823],
  ['c000000040000000', 1_073_741_824],
  ['c0000000ffffffff', 0xffff_ffff],
  ['c000000100000000', 0x1_0000_0000],
  [MAX_VARINT, MAX],
  ['c000000000000025', 37, false],
  ['80000025', 37, false],
]

const REFUSED_VARINTS: Readonly<Record<string, string>> = {
  'no bytes': '',
  'one byte of two': '7b',
  'three bytes of four': '9d7f3e',
  'seven bytes of eight': 'c2197c5eff14e8',
  '2^53': 'c020000000000000',
  'the example of RFC 9000 above 2^53': 'c2197c5eff14e88c',
  '2^62 − 1': 'ffffffffffffffff',
}

const hex = (text: string): string => text.replaceAll(' ', '')

const vectors = (cases: readonly Case[], canonical: boolean): readonly FramesVector[] =>
  cases.map(([name, payload, frames, ackEliciting = true]) => ({
    ...{ name, payload: hex(payload), frames, ackEliciting },
    canonical,
  }))

const named = (list: Readonly<Record<string, string>>): readonly RefusedBytes[] =>
  Object.entries(list).map(([name, bytes]) => ({ name, bytes: hex(bytes) }))

export function frameFile(): FrameFile {
  return {
    about: 'Payloads of records and their frames. PADDING and PING are no items; they count for ackEliciting.',
    varints: VARINTS.map(([bytes, value, shortest = true]) => ({ bytes, value, shortest })),
    refusedVarints: named(REFUSED_VARINTS),
    payloads: [
      ...vectors(CANONICAL, true),
      ...vectors(
        [
          [
            'a full record',
            `31 4480 ${toHex(new Uint8Array(1152).fill(0x5a))}`,
            [{ type: 'DATAGRAM', data: '5a'.repeat(1152) }],
          ],
        ],
        true,
      ),
      ...vectors(ACCEPTED, false),
    ],
    refused: named(REFUSED),
  }
}
