import { duration } from '@showchain/client/endpoint'
import { TunnelServer, TunnelStream } from '@showchain/tunnel'
import { describe, expect, test } from 'vitest'
import { nat } from '../../src/index.ts'
import { bed, codes, reasons } from './bed.ts'
import { echo, type MemorySocket, MemorySource, MemoryTarget, readAll } from './sockets.ts'

const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString()
const bytes = (of: string): Uint8Array => Buffer.from(of)
const failed = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    () => 'reset',
  )
/** More than all windows and buffers on the way. */
const MUCH = 40 * 1024 * 1024

async function flood(socket: MemorySocket | undefined): Promise<void> {
  for (let sent = 0; sent < MUCH; sent += 65_536) await socket?.write(new Uint8Array(65_536))
}

test('bytes go both ways, and each way ends for itself', () =>
  bed('both ways', async (it) => {
    it.serve(
      new MemoryTarget(async (socket) => {
        const question = text(await readAll(socket))
        await socket.write(bytes(`you said ${question}`))
        await socket.end()
      }),
    )
    const source = new MemorySource()
    const forwarder = await it.forward(source)
    const program = source.connect()
    await program.write(bytes('hello'))
    await program.end()
    expect(text(await readAll(program))).toBe('you said hello')
    expect(forwarder.counters).toMatchObject({ sent: 5, received: 14, opened: 1, failed: 0 })
  }))

test('a target that speaks first is heard', () =>
  bed('banner', async (it) => {
    it.serve(new MemoryTarget((socket) => void socket.write(bytes('220 ready\r\n'))))
    const source = new MemorySource()
    await it.forward(source)
    expect(text(await source.connect().read())).toBe('220 ready\r\n')
  }))

describe('a reset is carried', () => {
  test('of the local program to the target', () =>
    bed('reset there', async (it) => {
      const targets: MemorySocket[] = []
      it.serve(new MemoryTarget((socket) => void targets.push(socket)))
      const source = new MemorySource()
      const forwarder = await it.forward(source)
      const program = source.connect()
      await program.write(bytes('half of it'))
      await it.internet.wait(duration(100))
      const [target] = targets
      expect(text(await target?.read())).toBe('half of it')
      program.reset()
      expect(await failed(target?.read() ?? Promise.resolve())).toBe('reset')
      await it.internet.wait(duration(100))
      expect([reasons(it.served), forwarder.open]).toEqual([['reset'], 0])
    }))

  test('of the target to the local program, also when that only listens', () =>
    bed('reset here', async (it) => {
      it.serve(
        new MemoryTarget(async (socket) => {
          await socket.read()
          socket.reset()
        }),
      )
      const source = new MemorySource()
      await it.forward(source)
      const program = source.connect()
      await program.write(bytes('hello'))
      expect(await failed(program.read())).toBe('reset')
      expect(codes(it.forwarded)).toEqual(['The tunnel did not carry the connection. The connection was reset.'])
    }))
})

test.each([
  ['ECONNREFUSED', 'refused', 'The target refused the connection'],
  ['ENOENT', 'refused', 'The target refused the connection'],
  ['EHOSTUNREACH', 'unreachable', 'The target cannot be reached'],
  ['ENOTFOUND', 'unreachable', 'The target cannot be reached'],
  ['EMFILE', 'busy', 'The remote peer serves as many connections as it can'],
  ['never', 'timeout', 'The target did not answer'],
])('a target that fails with %s resets the local connection, and both ends know why', (code, reason, sentence) =>
  bed('refused', async (it) => {
    const target = new MemoryTarget(echo)
    target.fails = code
    it.serve(target)
    const source = new MemorySource()
    await it.forward(source)
    const program = source.connect()
    await program.write(bytes('hello'))
    expect(await failed(program.read())).toBe('reset')
    expect(reasons(it.served)).toEqual([reason])
    expect(codes(it.forwarded)).toEqual([`The tunnel did not carry the connection. ${sentence}.`])
  }),
)

test('nothing is taken that the other end does not take', () =>
  bed('back-pressure', async (it) => {
    const targets: MemorySocket[] = []
    it.serve(new MemoryTarget((socket) => void targets.push(socket)))
    const source = new MemorySource()
    const forwarder = await it.forward(source)
    const [up, down] = [source.connect(), source.connect()]
    await it.internet.wait(duration(100))
    const floods = [flood(up), flood(targets[1])].map(failed)
    await it.internet.wait(duration(60_000))
    // What is under way: 16 MiB are far more than a stream that nobody reads may have.
    for (const carried of [forwarder.counters.sent, forwarder.counters.received]) {
      expect(carried).toBeLessThan(16 * 1024 * 1024)
    }
    for (const socket of [...targets, down]) socket.reset()
    await Promise.all(floods)
  }))

test('more connections than a connection has streams are carried, those above it after the others', () =>
  bed('many', async (it) => {
    it.serve(new MemoryTarget(echo))
    const source = new MemorySource()
    await it.forward(source)
    const programs = Array.from({ length: 400 }, () => source.connect())
    const said = programs.map(async (program, number) => {
      await program.write(bytes(`${number}`))
      await program.end()
      return text(await readAll(program))
    })
    expect(await Promise.all(said)).toEqual(programs.map((_, number) => `${number}`))
  }))

test('local connections that wait are bounded, in number and in time', () =>
  bed('waiting', async (it) => {
    it.serve(new MemoryTarget(() => {}))
    const source = new MemorySource()
    const forwarder = await it.forward(source)
    // 256 have streams, 256 wait, and one is too many.
    const programs = Array.from({ length: 513 }, () => source.connect())
    expect(await failed(programs[512]?.read() ?? Promise.resolve())).toBe('reset')
    expect(forwarder.open).toBe(512)
    await it.internet.wait(duration(26_000))
    expect([forwarder.open, forwarder.counters.failed]).toEqual([256, 257])
  }))

test('a forwarder that closes resets what it carries, also what nobody reads', () =>
  bed('close', async (it) => {
    const targets: MemorySocket[] = []
    it.serve(new MemoryTarget((socket) => void targets.push(socket)))
    const source = new MemorySource()
    const forwarder = await it.forward(source)
    const program = source.connect()
    const flooded = failed(flood(program))
    await it.internet.wait(duration(1000))
    await forwarder.close()
    expect(await flooded).toBe('reset')
    await it.internet.wait(duration(100))
    const rest = failed(targets[0] === undefined ? Promise.resolve() : readAll(targets[0]))
    expect([await rest, source.closed, reasons(it.served)]).toEqual(['reset', true, ['closing']])
  }))

test('a server that closes resets what it carries, and refuses what comes', () =>
  bed('server closes', async (it) => {
    const server = it.serve(new MemoryTarget(echo))
    const source = new MemorySource()
    await it.forward(source)
    const program = source.connect()
    await program.write(bytes('hello'))
    expect(text(await program.read())).toBe('hello')
    await server.close()
    expect(await failed(program.read())).toBe('reset')
    expect(await failed(source.connect().read())).toBe('reset')
    const closing = 'The tunnel did not carry the connection. The remote peer serves no more.'
    expect(codes(it.forwarded)).toEqual([closing, closing])
  }))

test('a tunnel lives through relays that die, and loses nothing', () =>
  bed(
    'path',
    async (it) => {
      const second = await it.internet.relay()
      it.serve(new MemoryTarget(echo))
      const source = new MemorySource()
      await it.forward(source)
      const program = source.connect()
      const all = readAll(program)
      const write = async (): Promise<void> => {
        for (let number = 0; number < 200; number++) {
          await program.write(bytes(`${number} `))
          await it.internet.wait(duration(50))
        }
        await program.end()
      }
      const restart = async (): Promise<void> => {
        await it.internet.wait(duration(3000))
        await it.relay.kill()
        it.relay.start()
      }
      await Promise.all([write(), restart()])
      await second.kill()
      expect(text(await all)).toBe(Array.from({ length: 200 }, (_, number) => `${number} `).join(''))
    },
    { alice: { behind: nat.T4(), policy: 'relay-only' }, bob: { behind: nat.T4() } },
  ))

test('a connection that is lost is made again, with back-off, and carries what comes then', () =>
  bed('again', async (it) => {
    it.serve(new MemoryTarget(echo))
    const source = new MemorySource()
    await it.forward(source)
    const program = source.connect()
    await program.write(bytes('hello'))
    expect(text(await program.read())).toBe('hello')
    it.internet.sim.network.filter = () => false
    // Longer than a connection without any path lives.
    await it.internet.wait(duration(400_000))
    expect(await failed(program.read())).toBe('reset')
    const early = failed(source.connect().read())
    await it.internet.wait(duration(24_000))
    expect(await Promise.race([early, Promise.resolve('waiting')])).toBe('waiting')
    await it.internet.wait(duration(2000))
    expect(await Promise.race([early, Promise.resolve('waiting')])).toBe('reset')
    const attempts = it.forwarded.filter(({ type }) => type === 'unreachable').length
    it.internet.sim.network.filter = undefined
    // An attempt that began before has ended; the next one does not wait for the whole pause.
    await it.internet.wait(duration(26_000))
    const waiting = source.connect()
    await waiting.write(bytes('again'))
    expect(text(await waiting.read())).toBe('again')
    expect(attempts).toBeGreaterThan(2)
    expect(it.forwarded.map(({ type }) => type).filter((type) => type === 'linked' || type === 'lost')).toEqual([
      'linked',
      'lost',
      'linked',
    ])
  }))

test('an end serves so many streams at a time, over all connections, and refuses others', () =>
  bed('served', async (it) => {
    const target = new MemoryTarget(() => {})
    const server = it.serve(target)
    // Each connection has 256 streams at most.
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const connection = await (await it.internet.peer({ name })).connect(it.bob.ticket)
      for (let count = 0; count < 250; count++) await TunnelStream.open(connection, 'bytes')
      await it.internet.wait(duration(200))
    }
    expect([server.open, target.connections, reasons(it.served)]).toEqual([1024, 1024, Array(226).fill('busy')])
  }))

test('nothing is reached without encryption', () =>
  bed(
    'plaintext',
    async (it) => {
      const target = new MemoryTarget(echo)
      const server = new TunnelServer(target, { runtime: it.internet.sim })
      await it.alice.connect(it.bob.ticket)
      const { value: connection } = await it.bob.incoming.next()
      await expect(server.serve(connection)).rejects.toMatchObject({ code: 'ERR_PLAINTEXT_REFUSED' })
      await expect(it.forward(new MemorySource())).resolves.toBeDefined()
      await it.internet.wait(duration(1000))
      expect(target.connections).toBe(0)
    },
    { alice: { plaintext: true }, bob: { plaintext: true } },
  ))
