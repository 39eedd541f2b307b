/**
 * What the kernel of this machine does not do on demand: hosts without IPv6, ports that are taken,
 * odd sources.
 */
import dgram, { type Socket, type SocketOptions } from 'node:dgram'
import { EventEmitter } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Datagram } from '../../src/core/endpoint/machine.ts'
import { DgramSocket } from '../../src/runtime/dgram-socket.ts'
import { openUdp, UdpSocket } from '../../src/runtime/index.ts'

const KIND = { kind: 'dgram' } as const

/** What the next binds of IPv6 sockets end in; the real thing when nothing is left. */
const ipv6Failures: string[] = []
const { createSocket } = dgram

/** Tests of other files share this process: the real one comes back at the end. */
function make(create: typeof createSocket): void {
  dgram.createSocket = create
  syncBuiltinESMExports()
}

beforeAll(() => {
  make(((options: SocketOptions) => {
    const code = options.type === 'udp6' ? ipv6Failures.shift() : undefined
    return code === undefined ? createSocket(options) : new FailingSocket(code)
  }) as typeof createSocket)
})
afterAll(() => make(createSocket))

class FailingSocket extends EventEmitter {
  readonly code: string

  constructor(code: string) {
    super()
    this.code = code
  }

  bind(): void {
    process.nextTick(() => this.emit('error', Object.assign(new Error(`bind ${this.code}`), { code: this.code })))
  }

  close(): void {}
}

beforeEach(() => {
  ipv6Failures.length = 0
})

describe('listening everywhere', () => {
  test.each(['EAFNOSUPPORT', 'EADDRNOTAVAIL'])('goes on with IPv4 where IPv6 is %s, and says so', async (code) => {
    ipv6Failures.push(code)
    const socket = await openUdp(KIND)
    expect(socket.localEndpoints.map(({ ip }) => ip)).toEqual(['0.0.0.0'])
    expect(socket.skipped).toEqual([{ host: '::', port: 0 }])
    await socket.close()
  })

  test('tries again when the port is free in one family only', async () => {
    ipv6Failures.push('EADDRINUSE', 'EADDRINUSE', 'EAFNOSUPPORT')
    const socket = await openUdp(KIND)
    expect(ipv6Failures).toEqual([])
    expect(socket.localEndpoints).toHaveLength(1)
    await socket.close()
  })

  test('gives up in the end when no port is free at all', async () => {
    ipv6Failures.push(...new Array<string>(100).fill('EADDRINUSE'))
    await expect(openUdp(KIND)).rejects.toMatchObject({ code: 'ERR_ADDRESS_IN_USE' })
    expect(ipv6Failures).toHaveLength(92)
  })
})

test('an address of a family that this host lacks is an error when it was asked for alone', async () => {
  ipv6Failures.push('EAFNOSUPPORT')
  await expect(openUdp({ ...KIND, listen: [{ host: '::', port: 0 }] })).rejects.toMatchObject({
    code: 'ERR_CANNOT_LISTEN',
    message: expect.stringContaining('no IPv6'),
  })
})

test('a port that needs more rights is an error that says what to do', async () => {
  ipv6Failures.push('EACCES')
  await expect(openUdp({ ...KIND, listen: [{ host: '::1', port: 53 }] })).rejects.toMatchObject({
    code: 'ERR_CANNOT_LISTEN',
    message: expect.stringContaining('[::1]:53 needs more rights'),
  })
})

/** What came together is delivered when the loop has read it. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const socketOn = (emitter: EventEmitter): UdpSocket =>
  new UdpSocket([new DgramSocket(emitter as Socket)], [], { ...KIND, reason: 'tested' })

describe('the source of a datagram', () => {
  const arrive = async (address: string, port = 4000): Promise<{ received: Datagram[]; socket: UdpSocket }> => {
    const emitter = Object.assign(new EventEmitter(), { address: () => ({ address: '::', port: 1, family: 'IPv6' }) })
    const socket = socketOn(emitter)
    const received: Datagram[] = []
    socket.onDatagrams((batch) => received.push(...batch))
    emitter.emit('message', Buffer.from([1]), { address, port })
    await turn()
    return { received, socket }
  }

  test('is canonical also where libuv writes a dotted end', async () => {
    expect((await arrive('::192.0.2.1')).received[0]?.source).toEqual({ ip: '::c000:201', port: 4000 })
    expect((await arrive('2001:db8::1')).received[0]?.source).toEqual({ ip: '2001:db8::1', port: 4000 })
  })

  test('does not part what came in one turn of the loop: it is one batch', async () => {
    const emitter = Object.assign(new EventEmitter(), { address: () => ({ address: '::', port: 1, family: 'IPv6' }) })
    const socket = socketOn(emitter)
    const batches: number[] = []
    socket.onDatagrams((batch) => batches.push(batch.length))
    for (const address of ['2001:db8::1', '2001:db8::2', 'fe80::1%eth0'])
      emitter.emit('message', Buffer.from([1]), { address, port: 4000 })
    await turn()
    expect(batches).toEqual([2])
    emitter.emit('message', Buffer.from([1]), { address: '2001:db8::1', port: 4000 })
    await turn()
    expect(batches).toEqual([2, 1])
  })

  test('with a zone is dropped and counted', async () => {
    const { received, socket } = await arrive('fe80::1%eth0')
    expect(received).toEqual([])
    expect(socket.counters.linkLocalSource).toBe(1)
  })

  test('with port 0 is dropped', async () => {
    expect((await arrive('192.0.2.1', 0)).received).toEqual([])
  })

  test('does not matter to a socket that fails: the error is counted', () => {
    const emitter = Object.assign(new EventEmitter(), { address: () => ({ address: '::', port: 1, family: 'IPv6' }) })
    const socket = socketOn(emitter)
    emitter.emit('error', new Error('any'))
    expect(socket.counters.socketErrors).toBe(1)
  })
})
