import { expect, test } from 'vitest'
import { Allowance, Outbox } from '../../src/core/index.ts'

const V = { ip: '198.51.100.9', port: 9 }
const PROOF = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)

function sending(datagrams?: number) {
  const outbox = new Outbox<never>()
  const allowance = new Allowance(1200, datagrams)
  /** Whether so many bytes go there. */
  const send = (bytes: number): boolean => {
    outbox.transmit({ ...V, allowance }, new Uint8Array(bytes))
    return outbox.poll() !== undefined
  }
  return { allowance, send }
}

test('an address that proved nothing gets no more bytes than came from there', () => {
  const { allowance, send } = sending()
  expect([send(1201), send(700)]).toEqual([false, true])
  allowance.received(34)
  expect([send(535), send(534)]).toEqual([false, true])
})

test('and where they are counted no more datagrams', () => {
  const { allowance, send } = sending(1)
  expect([send(10), send(10)]).toEqual([true, false])
  allowance.received(10)
  expect([send(10), send(10)]).toEqual([true, false])
})

test('one that says what was sent there gets anything from then on', () => {
  const { allowance, send } = sending()
  allowance.expect(PROOF)
  expect([allowance.prove(PROOF), allowance.proven, allowance.wanted]).toEqual([true, true, undefined])
  expect([send(5000), send(5000)]).toEqual([true, true])
})

test.each([
  ['before anything was sent there', undefined, PROOF],
  ['with one bit that is another', PROOF, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 9)],
  ['with less', PROOF, PROOF.slice(0, 7)],
])('one that says it %s does not', (_how, wanted, said) => {
  const { allowance, send } = sending()
  if (wanted !== undefined) allowance.expect(wanted)
  expect([allowance.prove(said), allowance.proven, send(5000)]).toEqual([false, false, false])
})
