/** The value of the hello extension, byte for byte, and what is none. */
import { describe, expect, test } from 'vitest'
import {
  HELLO_KIND,
  type HelloRequest,
  helloPrologue,
  MAX_EARLY_BYTES,
  readHelloAnswer,
  readHelloOffer,
  readHelloRequest,
  writeHelloAnswer,
  writeHelloOffer,
  writeHelloRequest,
} from '../../src/end-to-end/index.ts'
import { MAX_HELLO_BYTES, MIN_HELLO_BYTES, peerIdToBytes } from '../../src/index.ts'
import { ALICE, BOB, fromHex, hex, repeat } from '../samples.ts'

const ID = 'b1b2b3b4b5b6b7b8'
const E = 'e0'.repeat(32)
const HINT = 'a0'.repeat(8)
const SEALED = '5e'.repeat(20)
const cold: HelloRequest = {
  ...{ mayRelay: true, dialled: true, namedStreams: false, connectionId: fromHex(ID) },
  ...{ ephemeral: fromHex(E), warm: undefined },
}
const warm: HelloRequest = { ...cold, mayRelay: false, warm: { hint: fromHex(HINT), sealed: fromHex(SEALED) } }

describe('a request', () => {
  test.each([
    ['cold', cold, `0103${ID}${E}`],
    ['of an end that knows named streams', { ...cold, namedStreams: true }, `0107${ID}${E}`],
    ['warm', warm, `0202${ID}${E}${HINT}${SEALED}`],
  ] as const)('%s', (_name, request, bytes) => {
    expect(hex(writeHelloRequest(request))).toBe(bytes)
    expect(readHelloRequest(fromHex(bytes))).toEqual(request)
  })

  test('ignores flags that nobody knows', () => {
    const all = { ...cold, namedStreams: true }
    expect(readHelloRequest(fromHex(`01ff${ID}${E}`))).toEqual(all)
    expect(readHelloRequest(fromHex(`01fe${ID}${E}`))).toEqual({ ...all, mayRelay: false })
    expect(readHelloRequest(fromHex(`01fd${ID}${E}`))).toEqual({ ...all, dialled: false })
    expect(readHelloRequest(fromHex(`01fb${ID}${E}`))).toEqual(cold)
  })

  test.each([
    ['nothing', ''],
    ['another kind', `0301${ID}${E}`],
    ['a cold one that is short', `0101${ID}${E.slice(2)}`],
    ['a cold one that is long', `0101${ID}${E}00`],
    ['a warm one without a tag', `0200${ID}${E}${HINT}${'5e'.repeat(15)}`],
    ['a connection id of zeros', `0101${'00'.repeat(8)}${E}`],
  ])('is none: %s', (_what, bytes) => {
    expect(readHelloRequest(fromHex(bytes))).toBeUndefined()
  })

  test('has the lengths of the extension', () => {
    expect(writeHelloRequest(cold).length).toBe(MIN_HELLO_BYTES)
    const full = { ...warm, warm: { hint: fromHex(HINT), sealed: repeat(1, MAX_EARLY_BYTES + 16) } }
    expect(writeHelloRequest(full).length).toBe(MAX_HELLO_BYTES)
  })

  test('keeps nothing of the datagram: the buffer is used again', () => {
    const value = fromHex(`0202${ID}${E}${HINT}${SEALED}`)
    const request = readHelloRequest(value)
    value.fill(0)
    expect(request).toEqual(warm)
  })
})

describe('an answer', () => {
  test.each([HELLO_KIND.cold, HELLO_KIND.warm])('of kind %d', (kind) => {
    const value = writeHelloAnswer({ kind, message: repeat(7, 57) })
    expect(hex(value)).toBe(`0${kind}${'07'.repeat(57)}`)
    expect(readHelloAnswer(value)).toEqual({ kind, message: repeat(7, 57) })
  })

  test.each([
    ['another kind', `03${'07'.repeat(57)}`],
    ['one byte less', `01${'07'.repeat(56)}`],
    ['one byte more', `01${'07'.repeat(58)}`],
  ])('is none: %s', (_what, bytes) => {
    expect(readHelloAnswer(fromHex(bytes))).toBeUndefined()
  })

  test('has an offer', () => {
    const offer = { mayRelay: true, dialled: false, namedStreams: false, connectionId: fromHex(ID) }
    expect(hex(writeHelloOffer(offer))).toBe(`01${ID}`)
    expect(hex(writeHelloOffer({ ...offer, namedStreams: true }))).toBe(`05${ID}`)
    expect(readHelloOffer(fromHex(`01${ID}`))).toEqual(offer)
    expect(readHelloOffer(fromHex(`fe${ID}`))).toEqual({
      ...offer,
      ...{ mayRelay: false, dialled: true, namedStreams: true },
    })
    for (const none of ['', `01${ID}00`, `01${ID.slice(2)}`, `01${'00'.repeat(8)}`])
      expect(readHelloOffer(fromHex(none)), none).toBeUndefined()
  })
})

test('the prologue has the head of the request and both ids, the requester first', () => {
  const context = hex(Buffer.from('SHOWCHAIN-P2P-v1 hello\0', 'latin1'))
  const [alice, bob] = [ALICE, BOB].map((id) => hex(peerIdToBytes(id)))
  expect(hex(helloPrologue(writeHelloRequest(warm), ALICE, BOB))).toBe(`${context}0202${ID}${alice}${bob}`)
})
