/** Records under fixed keys, refused records, and sequences for one receiver. */
import { opensslEndToEnd, rekey } from '@showchain/crypto'
import { RECORD_HEADER_BYTES, RECORD_OVERHEAD, writeRecordHeader, writeRecordNonce } from '@showchain/wire/end-to-end'
import { fromHex, toHex } from '../hex.ts'
import { CONNECTION_ID, count, flipped, SESSION } from './ends.ts'
import type { HandshakeVector, RecordFile, RecordSequenceVector, RecordVector } from './forms.ts'

const MAX_NUMBER = 2 ** 48 - 1
const MAX_EPOCH = 0xffff
const EPOCHS = 4
/** The replay window (docs/protocol.md, Replay). */
const WINDOW = 8128

const text = (words: string): string => toHex(Buffer.from(words, 'utf8'))

/** The keys of a direction, by epoch. */
export function epochKeys(first: string, epochs: number): readonly string[] {
  const keys = [first]
  while (keys.length < epochs) keys.push(toHex(rekey(opensslEndToEnd, fromHex(keys.at(-1) as string))))
  return keys
}

interface Plain {
  readonly connectionId: string
  readonly epoch: number
  readonly number: number
  readonly payload: string
}

/** @param key of the record's epoch */
export function seal(name: string, key: string, { connectionId, epoch, number, payload }: Plain): RecordVector {
  const plaintext = fromHex(payload)
  const record = new Uint8Array(RECORD_OVERHEAD + plaintext.length)
  writeRecordHeader(record, 0, fromHex(connectionId), epoch, number)
  const header = record.slice(0, RECORD_HEADER_BYTES)
  const nonce = new Uint8Array(12)
  writeRecordNonce(nonce, epoch, number)
  opensslEndToEnd.aead(fromHex(key)).seal(nonce, header, plaintext, record, RECORD_HEADER_BYTES)
  return {
    ...{ name, connectionId, epoch, number, key },
    ...{ header: toHex(header), nonce: toHex(nonce), payload, record: toHex(record) },
  }
}

export function recordFile({ keys }: HandshakeVector): RecordFile {
  const chain = epochKeys(keys.initiator, EPOCHS)
  const back = epochKeys(keys.responder, 2)
  const key = (epoch: number): string => chain[epoch] as string
  const connectionId = CONNECTION_ID.responder
  const record = (name: string, epoch: number, number: number, payload = '01', sealing = key(epoch)): RecordVector =>
    seal(name, sealing, { connectionId, epoch, number, payload })
  const good = record('the first record', 0, 0, text('first'))
  return {
    about:
      'ChaCha20-Poly1305 records; the keys are those of the handshake RSA-2048, from the initiator unless it is said.',
    epochKeys: chain,
    records: [
      good,
      record('no payload', 0, 1, ''),
      record('a full datagram of 1200 bytes', 0, 2, toHex(count(0, 1200 - RECORD_OVERHEAD))),
      record('a datagram of 1452 bytes', 0, 3, toHex(count(0, 1452 - RECORD_OVERHEAD))),
      record('a number of 32 bits', 0, 0xffff_fffe),
      record('a number of 33 bits', 0, 0x1_0000_0001),
      record('the last number', 0, MAX_NUMBER - 1),
      record('the second epoch', 1, 0x0102_0304_0506, text('second epoch')),
      record('the third epoch', 2, 0x0102_0304_0507),
      record('the fourth epoch', 3, 0x0102_0304_0508),
      record('the last epoch', MAX_EPOCH, 9, '01', toHex(count(0x31, 32))),
      seal('from the responder', back[0] as string, {
        connectionId: CONNECTION_ID.initiator,
        epoch: 0,
        number: 0,
        payload: '01',
      }),
      seal('from the responder, second epoch', back[1] as string, {
        ...{ connectionId: CONNECTION_ID.initiator, epoch: 1, number: 1 },
        payload: text('back'),
      }),
    ],
    refused: refused(good, key(0), key(1), keys.responder),
    sequences: sequences(record, key(0), key(1)),
    channelFrames: [
      { name: 'a record', session: SESSION, bytes: good.record, frame: `b3${SESSION}${good.record}` },
      {
        name: 'a handshake part',
        session: SESSION,
        bytes: `b2${'00'.repeat(8)}${SESSION}000100000000`,
        frame: `b3${SESSION}b2${'00'.repeat(8)}${SESSION}000100000000`,
      },
    ],
  }
}

function refused({ record }: RecordVector, key: string, next: string, reverse: string): RecordFile['refused'] {
  const bit = (at: number): number => at * 8
  const cases: readonly (readonly [name: string, record: string, key?: string])[] = [
    ['no bytes', ''],
    ['a header alone', record.slice(0, 2 * RECORD_HEADER_BYTES)],
    ['one byte short of a tag', record.slice(0, 2 * (RECORD_OVERHEAD - 1))],
    ['cut by one byte', record.slice(0, -2)],
    ['one byte behind', `${record}00`],
    ['another first byte', `b1${record.slice(2)}`],
    ['another connection id', flipped(record, bit(1))],
    ['another epoch in the header', flipped(record, bit(11) - 1)],
    ['another number in the header', flipped(record, bit(17) - 1)],
    ['one bit of the ciphertext', flipped(record, bit(17))],
    ['one bit of the tag', flipped(record, -1)],
    ['the key of the next epoch', record, next],
    ['the key of the other direction', record, reverse],
  ]
  return cases.map(([name, bytes, other]) => ({ name, key: other ?? key, record: bytes }))
}

type Make = (name: string, epoch: number, number: number, payload?: string, key?: string) => RecordVector

function sequences(make: Make, key: string, second: string): readonly RecordSequenceVector[] {
  const take = (what: string, { record, payload }: RecordVector): RecordSequenceVector['records'][number] => ({
    ...{ what, record, payload },
  })
  const drop = (what: string, { record }: RecordVector): RecordSequenceVector['records'][number] => ({
    ...{ what, record, payload: null },
  })
  const at = (epoch: number, number: number): RecordVector => make('', epoch, number, text(`record ${number}`))
  const forged = at(0, 3)
  return [
    {
      name: 'replay',
      key,
      records: [
        take('the first', at(0, 0)),
        drop('the first again', at(0, 0)),
        take('a later one', at(0, 2)),
        take('one that was overtaken', at(0, 1)),
        drop('it again', at(0, 1)),
        drop('a forged one', { ...forged, record: flipped(forged.record, -1) }),
        take('the one that was forged', forged),
        take('one far ahead', at(0, 10 + WINDOW)),
        take('the oldest in the window', at(0, 11)),
        drop('one behind the window, which never came', at(0, 10)),
      ],
    },
    {
      name: 'epochs',
      key,
      records: [
        take('the first epoch', at(0, 0)),
        drop('the third epoch before the second', at(2, 1)),
        drop('a record of the next epoch under the key of this one', make('', 1, 2, '01', key)),
        take('the first epoch, still', at(0, 3)),
        take('the second epoch', at(1, 10)),
        take('a late record of the first epoch', at(0, 4)),
        take('the third epoch', at(2, 20)),
        take('a late record of the second epoch', at(1, 11)),
        drop('a record of the first epoch, two epochs ago', at(0, 5)),
        drop('a number of the second epoch again in the third', make('', 2, 11, '01')),
      ],
    },
    {
      name: 'a number that comes in two epochs',
      key,
      records: [
        take('under the first key', at(0, 7)),
        take('the second epoch', make('', 1, 8, '01', second)),
        drop('the number of the first under the second key', make('', 1, 7, '01', second)),
      ],
    },
  ]
}
