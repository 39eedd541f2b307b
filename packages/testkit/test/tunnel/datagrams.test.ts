import { duration } from '@showchain/client/endpoint'
import { TunnelStream } from '@showchain/tunnel'
import { expect, test } from 'vitest'
import { type Bed, bed, reasons } from './bed.ts'
import { EchoDatagrams, echo, MemoryDatagrams, MemorySource, MemoryTarget } from './sockets.ts'

/** Lets what was sent arrive, and its answer. */
const arrive = ({ internet }: Bed): Promise<void> => internet.wait(duration(200))

test('datagrams go there and back, and each local address is a flow of its own', () =>
  bed('flows', async (it) => {
    const target = new EchoDatagrams()
    it.serve(target)
    const source = new MemoryDatagrams()
    const opening = it.forward(source)
    source.from('127.0.0.1:1', 'held until the remote peer takes datagrams')
    const forwarder = await opening
    await arrive(it)
    source.from('127.0.0.1:2', 'b')
    source.from('127.0.0.1:1', 'c')
    source.from('127.0.0.1:2', '')
    await arrive(it)
    expect(source.answers).toEqual([
      { text: '0:held until the remote peer takes datagrams', to: '127.0.0.1:1' },
      { text: '1:b', to: '127.0.0.1:2' },
      { text: '0:c', to: '127.0.0.1:1' },
      { text: '1:', to: '127.0.0.1:2' },
    ])
    expect(forwarder.counters).toMatchObject({ sent: 44, received: 52, dropped: 0 })
  }))

test('datagrams that the path does not take are counted, and said once at each end', () =>
  bed('large', async (it) => {
    it.serve(new EchoDatagrams())
    const source = new MemoryDatagrams()
    const forwarder = await it.forward(source)
    await arrive(it)
    source.from('127.0.0.1:1', 'x'.repeat(2000))
    source.from('127.0.0.1:1', 'x'.repeat(2000))
    source.from('127.0.0.1:1', 'small')
    await arrive(it)
    expect(source.answers.map(({ text }) => text)).toEqual(['0:small'])
    expect(forwarder.counters.tooLarge).toBe(2)
    expect(it.forwarded.filter(({ type }) => type === 'too-large')).toEqual([
      { type: 'too-large', bytes: 2000, most: expect.any(Number) },
    ])
  }))

test('a flow that is idle is closed at the target, and a later datagram opens another', () =>
  bed('idle', async (it) => {
    const target = new EchoDatagrams()
    it.serve(target)
    const source = new MemoryDatagrams()
    await it.forward(source)
    source.from('127.0.0.1:1', 'a')
    await it.internet.wait(duration(121_000))
    expect([target.opened, target.closed]).toEqual([1, 1])
    source.from('127.0.0.1:1', 'b')
    await arrive(it)
    expect(source.answers.at(-1)).toEqual({ text: '1:b', to: '127.0.0.1:1' })
  }))

test('a peer opens at most 256 sockets of the end that serves', () =>
  bed('bounded', async (it) => {
    const target = new EchoDatagrams()
    it.serve(target)
    const source = new MemoryDatagrams()
    await it.forward(source)
    await arrive(it)
    for (let port = 0; port < 600; port++) {
      source.from(`127.0.0.1:${port}`, 'a')
      if (port % 100 === 0) await arrive(it)
    }
    await arrive(it)
    expect(target.opened).toBe(600)
    expect(target.closed).toBe(344)
  }))

test('what waits for the remote peer is bounded: the oldest are dropped', () =>
  bed('held', async (it) => {
    it.serve(new EchoDatagrams())
    const source = new MemoryDatagrams()
    const opening = it.forward(source)
    for (let number = 0; number < 70; number++) source.from('127.0.0.1:1', `${number}`)
    const forwarder = await opening
    await arrive(it)
    expect(source.answers.map(({ text }) => text)).toEqual(Array.from({ length: 64 }, (_, number) => `0:${number + 6}`))
    expect(forwarder.counters.dropped).toBe(6)
  }))

test('an end that serves the other kind refuses, and both ends know why', () =>
  bed('kinds', async (it) => {
    const target = new MemoryTarget(echo)
    it.serve(target)
    await expect(it.forward(new MemoryDatagrams())).rejects.toThrow(
      'The tunnel did not carry the connection. The remote peer serves another kind of target: streams or datagrams.',
    )
    expect(reasons(it.served)).toEqual(['kind'])
    expect(target.connections).toBe(0)
  }))

test('datagrams that nobody asked for by a stream reach no target', () =>
  bed('unasked', async (it) => {
    const target = new EchoDatagrams()
    const server = it.serve(target)
    const connection = await it.alice.connect(it.bob.ticket)
    await connection.sendDatagram(Uint8Array.of(0, 0, 0, 1, 65))
    await arrive(it)
    expect([target.opened, server.counters.dropped]).toEqual([0, 1])
  }))

test('a tunnel of datagrams goes on over the next connection', () =>
  bed('again', async (it) => {
    it.serve(new EchoDatagrams())
    const source = new MemoryDatagrams()
    await it.forward(source)
    source.from('127.0.0.1:1', 'a')
    await arrive(it)
    it.internet.sim.network.filter = () => false
    await it.internet.wait(duration(400_000))
    it.internet.sim.network.filter = undefined
    await it.internet.wait(duration(60_000))
    source.from('127.0.0.1:1', 'b')
    await arrive(it)
    expect(source.answers.map(({ text }) => text)).toEqual(['0:a', '1:b'])
  }))

test('a program that connects where datagrams are served is reset', () =>
  bed('kinds of bytes', async (it) => {
    const target = new EchoDatagrams()
    it.serve(target)
    const source = new MemorySource()
    await it.forward(source)
    await expect(source.connect().read()).rejects.toThrow()
    expect([reasons(it.served), target.opened]).toEqual([['kind'], 0])
  }))

test('one stream at a time asks for datagrams; another one is refused', () =>
  bed('twice', async (it) => {
    it.serve(new EchoDatagrams())
    const connection = await it.alice.connect(it.bob.ticket)
    const [first, second] = [
      await TunnelStream.open(connection, 'datagrams'),
      await TunnelStream.open(connection, 'datagrams'),
    ]
    await first.answered()
    await expect(second.read()).rejects.toMatchObject({ reason: 'busy' })
    await first.end()
    await arrive(it)
    await expect((await TunnelStream.open(connection, 'datagrams')).answered()).resolves.toBeUndefined()
  }))
