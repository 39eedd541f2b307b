import { describe, expect, test } from 'vitest'
import {
  type PeerId,
  parsePeerId,
  peerIdFromBytes,
  peerIdSchema,
  peerIdToBytes,
  type SessionId,
  sessionIdFromBytes,
  sessionIdSchema,
  sessionIdToBytes,
} from '../src/index.ts'
import { ALICE, repeat, SESSION } from './samples.ts'

const badPeerId = expect.objectContaining({ code: 'ERR_BAD_PEER_ID' })
const badSessionId = expect.objectContaining({ code: 'ERR_BAD_SESSION_ID' })

describe('peer ids', () => {
  test('are 43 characters for 32 bytes, the same in both directions', () => {
    expect(peerIdFromBytes(repeat(0x11, 32))).toBe(ALICE)
    expect(peerIdToBytes(ALICE)).toEqual(repeat(0x11, 32))
    expect(parsePeerId(ALICE)).toBe(ALICE)
  })

  test.each([
    ['too short', 'ERER'.repeat(10)],
    ['too long', `${ALICE}E`],
    ['padded', `${ALICE}=`],
    ['another spelling of the same bytes', `${ALICE.slice(0, -1)}F`],
    ['not base64url', `${ALICE.slice(0, -1)}+`],
    ['a session id', SESSION],
    ['empty', ''],
  ])('a text that is %s is refused', (_what, text) => {
    expect(() => parsePeerId(text)).toThrow(badPeerId)
    expect(peerIdSchema.safeParse(text).success).toBe(false)
  })

  test('other lengths of bytes are refused', () => {
    expect(() => peerIdFromBytes(repeat(0, 31))).toThrow(badPeerId)
    expect(() => peerIdFromBytes(repeat(0, 33))).toThrow(badPeerId)
  })

  test('what is no base64url has no bytes', () => {
    expect(() => peerIdToBytes('!' as PeerId)).toThrow(expect.objectContaining({ code: 'ERR_BAD_MESSAGE' }))
  })

  test('the schema takes nothing but texts', () => {
    expect(peerIdSchema.safeParse(ALICE).success).toBe(true)
    expect(peerIdSchema.safeParse(repeat(0x11, 32)).success).toBe(false)
  })
})

describe('session ids', () => {
  test('are 22 characters for 16 bytes, the same in both directions', () => {
    expect(sessionIdFromBytes(repeat(0x33, 16))).toBe(SESSION)
    expect(sessionIdToBytes(SESSION)).toEqual(repeat(0x33, 16))
  })

  test('other lengths and spellings are refused', () => {
    expect(() => sessionIdFromBytes(repeat(0, 15))).toThrow(badSessionId)
    expect(sessionIdSchema.safeParse(SESSION).success).toBe(true)
    expect(sessionIdSchema.safeParse(ALICE).success).toBe(false)
    expect(sessionIdSchema.safeParse(`${SESSION.slice(0, -1)}x`).success).toBe(false)
    expect(() => sessionIdToBytes('*' as SessionId)).toThrow(expect.objectContaining({ code: 'ERR_BAD_MESSAGE' }))
  })
})
