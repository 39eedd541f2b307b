/** What a caller sends while the listener has its keys, and has not checked any path to it yet. */
import { decode, OP } from '@showchain/wire'
import { expect, test } from 'vitest'
import { bytesOf, face, readAll, take, textOf } from './bed.ts'

/** What shows Bob that a path works is lost for this long, in milliseconds. */
const UNCHECKED = 900
const PROOFS: readonly number[] = [OP.directResponse, OP.proxyData]

test('streams and datagrams come with the connection, in order', () =>
  face('before the path', async ({ internet, alice, bob }) => {
    const { network, clock } = internet.sim
    const until = clock.now() + UNCHECKED
    network.filter = ({ bytes }, { name }) => {
      if (name !== 'alice' || clock.now() > until) return true
      const decoded = decode(bytes)
      return !(decoded.ok && PROOFS.includes(decoded.message.op_code))
    }
    const ours = await alice.connect(bob.ticket.replace(/&addr=[^&]*/g, ''), { via: 'punch' })
    const stream = await ours.openStream()
    await stream.write(bytesOf('first'))
    await ours.sendDatagram(bytesOf('a datagram'))
    await stream.write(bytesOf(' and last'))
    const ended = stream.end()
    expect(clock.now()).toBeLessThan(until)
    const theirs = await take(bob.incoming)
    expect(textOf(await take(theirs[Symbol.asyncIterator]()))).toBe('a datagram')
    expect(textOf(await readAll(await take(theirs.streams)))).toBe('first and last')
    await ended
  }))
