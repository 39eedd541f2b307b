/** What an application's memory may give: anything. */
import { parsePeerId } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { type PeerMemory, storeOf } from '../src/memory.ts'
import { other } from './peer-bed.ts'

const ID = parsePeerId(other.id)
const MET = {
  token: Uint8Array.of(1, 2, 3),
  staticKey: { key: new Uint8Array(32).fill(7), untilMs: 1_800_000_000_000 },
  address: { endpoint: { ip: '93.4.0.1', port: 4400 }, untilMs: 1_800_000_000_000 },
}

function memory(entries = new Map<string, string>()): PeerMemory & { readonly entries: Map<string, string> } {
  return {
    entries,
    get: (id) => entries.get(id),
    set: (id, value) => {
      if (value === undefined) entries.delete(id)
      else entries.set(id, value)
    },
  }
}

test('a memory gives what it was given, as text of a version', () => {
  const store = memory()
  storeOf(store, undefined).set(ID, MET)
  expect(JSON.parse(store.entries.get(ID) as string)).toMatchObject({ version: 1, token: 'AQID' })
  expect(storeOf(store, undefined).get(ID)).toEqual(MET)
  storeOf(store, undefined).set(ID, { token: MET.token })
  expect(storeOf(store, undefined).get(ID)).toEqual({ token: MET.token, staticKey: undefined })
  storeOf(store, undefined).set(ID, undefined)
  expect([...store.entries]).toEqual([])
})

describe('what a memory has that is none is not used, and said once', () => {
  const key = Buffer.alloc(32, 7).toString('base64url')
  test.each([
    '',
    'null',
    '[]',
    '{',
    '{"version":2,"token":"AQID"}',
    '{"version":1,"token":"!"}',
    '{"version":1,"token":""}',
    JSON.stringify({ version: 1, token: Buffer.alloc(65).toString('base64url') }),
    JSON.stringify({ version: 1, staticKey: { key, untilMs: 'soon' } }),
    JSON.stringify({ version: 1, staticKey: { key: key.slice(1), untilMs: 1 } }),
    JSON.stringify({ version: 1, address: { endpoint: { ip: '93.4.0.1\n', port: 1 }, untilMs: 1 } }),
    JSON.stringify({ version: 1, more: 1 }),
    '\u001b[2J',
  ])('%j', (text) => {
    const said: string[] = []
    const store = storeOf(memory(new Map([[ID, text]])), (sentence) => said.push(sentence))
    expect([store.get(ID), store.get(ID)]).toEqual([undefined, undefined])
    expect(said).toEqual(['The memory has something that this version did not write: it is not used.'])
  })
})

test('a memory that throws is an empty one', () => {
  const said: string[] = []
  const broken = (): never => {
    throw new Error('broken')
  }
  const store = storeOf({ get: broken, set: broken }, (sentence) => said.push(sentence))
  expect(store.get(ID)).toBeUndefined()
  store.set(ID, MET)
  store.set(ID, MET)
  expect(said).toHaveLength(2)
})
