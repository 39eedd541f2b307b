/** docs/protocol.md, Keep-alive: a request that a relay does not answer makes the peer ask it. */
import { OP } from '@showchain/wire'
import { expect, test } from 'vitest'
import { Bed, other, RELAY, relay } from '../peer-bed.ts'

test.each([
  ['0x121', 'relay-only', OP.proxyRequest],
  ['0x111', 'auto', OP.punchRequest],
] as const)('a %s that is sent for the third time makes the peer ask the relay', (_name, policy, op) => {
  const bed = new Bed().registered()
  const relays = [{ id: relay.id, endpoint: RELAY }]
  bed.do((machine, now) => machine.dial({ id: other.id, policy, addresses: [], relays }, now))
  const sent = (...ops: readonly number[]): readonly number[] =>
    bed.taken().flatMap(({ message }) => (ops.includes(message.op_code) ? [message.op_code] : []))
  bed.advance(1000)
  expect(new Set(sent(op, OP.keepAlive))).toEqual(new Set([op]))
  bed.advance(1000)
  expect(sent(OP.keepAlive)).toEqual([OP.keepAlive])
})
