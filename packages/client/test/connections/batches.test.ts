/** What several datagrams of one input cause: connections send once, at its end, in turns. */
import { expect, test } from 'vitest'
import { PumpQueue } from '../../src/core/context/pump-queue.ts'
import { instant } from '../../src/core/endpoint/machine.ts'
import { TwoPeers } from './two-peers.ts'

const RECORDS = 40

test('records that come together are acknowledged together, whatever their order', () => {
  const peers = new TwoPeers().connected()
  peers.holds = ({ from }) => from.port === peers.a.address.port
  for (let index = 0; index < RECORDS; index++) peers.a.send(Uint8Array.of(index))
  expect(peers.held).toHaveLength(RECORDS)
  peers.sent.length = 0
  peers.b.do((machine, now) => {
    for (const { bytes, from } of [...peers.held].reverse()) machine.receive({ bytes, source: from }, now)
  })
  expect(peers.sentTo(peers.a.address)).toHaveLength(1)
  expect(peers.b.eventsOf('datagram')).toHaveLength(RECORDS)
})

test('connections take turns until none has more to send, each as often as it has', () => {
  const queue = new PumpQueue()
  const order: string[] = []
  const pumped = (name: string, trains: number) => ({
    pump: (now: number): boolean => {
      order.push(`${name} at ${now}`)
      return --trains > 0
    },
  })
  const [a, b, c] = [pumped('a', 3), pumped('b', 1), pumped('c', 2)]
  for (const each of [a, b, a, c]) queue.add(each, instant(7))
  while (queue.turn());
  expect(order).toEqual(['a', 'b', 'c', 'a', 'c', 'a'].map((name) => `${name} at 7`))
})
