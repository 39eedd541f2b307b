/** What a batched socket does that a plain one does not: trains, full buffers, kernels that refuse. */
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { canonicalIp, type Endpoint } from '@showchain/wire'
import { needsIpv6 } from '@showchain-tooling/vitest/needs'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { socketOnLink } from '../../src/core/endpoint/route.ts'
import { batchedSockets } from '../../src/runtime/batched/batched-socket.ts'
import {
  IP_MTU_DISCOVER,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_MTU_DISCOVER,
  type Libc,
  loadLibc,
  type PollCallback,
  type PollEvents,
} from '../../src/runtime/batched/libc.ts'
import { selfTest } from '../../src/runtime/batched/self-test.ts'
import { DestinationBook, decodeAddress, encodeAddress, SourceBook } from '../../src/runtime/batched/socket-address.ts'
import type { BoundSocket, SocketReceiver } from '../../src/runtime/bound-socket.ts'
import type { Unsent } from '../../src/runtime/socket.ts'
import { chooseSocket } from '../../src/runtime/socket-kind.ts'
import type { SocketWish } from '../../src/runtime/udp-options.ts'
import { needsBatched } from './kinds.ts'

const real = loadLibc() as Libc
const LOOPBACK = { host: '127.0.0.1', port: 0 }
const ERRNO = constants.errno
type Refusal =
  | 'EAGAIN'
  | 'EBADF'
  | 'ECONNREFUSED'
  | 'EINTR'
  | 'EINVAL'
  | 'EIO'
  | 'EMSGSIZE'
  | 'ENETUNREACH'
  | 'ENOBUFS'
  | 'ENOMEM'
  | 'EPERM'

/** The real system calls, of which the next ones to send are refused with these numbers. */
function refusing(...refusals: readonly Refusal[]): Libc & { readonly calls: number[] } {
  const left = [...refusals]
  const calls: number[] = []
  let errno = 0
  return {
    ...real,
    calls,
    sendmmsg(descriptor, headers, count, flags) {
      calls.push(count)
      const refusal = left.shift()
      errno = refusal === undefined ? 0 : ERRNO[refusal]
      return refusal === undefined ? real.sendmmsg(descriptor, headers, count, flags) : -1
    },
    errno: () => (errno === 0 ? real.errno() : errno),
  }
}

const open: BoundSocket[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((socket) => socket.close()))
})

interface Inbox {
  readonly socket: BoundSocket
  readonly received: Uint8Array[]
  readonly sources: (Endpoint | undefined)[]
  /** Datagrams that did not leave, by the reason. */
  readonly unsent: Partial<Record<Unsent, number>>
  /** Errors that were not about one datagram. */
  errors: number
  /** Resolves when so many datagrams have come. */
  has(count: number): Promise<void>
}

async function inbox(libc: Libc = real, address = LOOPBACK, borrows?: SocketReceiver['borrows']): Promise<Inbox> {
  const socket = await batchedSockets(libc).bind(address)
  open.push(socket)
  let [wanted, resolve] = [Number.POSITIVE_INFINITY, (): void => {}]
  const made: Inbox = {
    socket,
    received: [],
    sources: [],
    unsent: {},
    errors: 0,
    has: (count) =>
      new Promise((done) => {
        ;[wanted, resolve] = [count, done]
        if (made.received.length >= wanted) done()
      }),
  }
  socket.receive({
    borrows,
    datagram(bytes, source) {
      made.received.push(bytes)
      made.sources.push(source)
      if (made.received.length >= wanted) resolve()
    },
    batchEnded: () => {},
    unsent: (why, count) => {
      made.unsent[why] = (made.unsent[why] ?? 0) + count
    },
    failed: () => {
      made.errors++
    },
  })
  return made
}

const numbered = (count: number, bytes: number): readonly Uint8Array[] =>
  Array.from({ length: count }, (_, index) => new Uint8Array(bytes).fill(index))

describe('a batched socket', needsBatched, () => {
  test('sends what leaves in one go in one call, and a train as one message of it', async () => {
    const libc = refusing()
    const [a, b] = [await inbox(libc), await inbox()]
    for (const bytes of numbered(60, 1000)) a.socket.send(b.socket.local, bytes)
    await b.has(60)
    expect(libc.calls).toEqual([1])
    expect(b.received).toEqual(numbered(60, 1000))
    expect(b.sources).toEqual(new Array(60).fill(a.socket.local))
  })

  test('gathers what leaves in one go by where it goes: one message for each place, in order there', async () => {
    const libc = refusing()
    const [a, ...others] = [await inbox(libc), await inbox(), await inbox(), await inbox()]
    for (const bytes of numbered(30, 700)) for (const { socket } of others) a.socket.send(socket.local, bytes)
    await Promise.all(others.map((other) => other.has(30)))
    expect(libc.calls).toEqual([3])
    expect(others.map(({ received }) => received)).toEqual(others.map(() => numbered(30, 700)))
  })

  test('gathers on when the buffer of the kernel was full in between', async () => {
    const libc = refusing('EAGAIN')
    const [a, b, c] = [await inbox(libc), await inbox(), await inbox()]
    const all = numbered(20, 700)
    const send = (list: readonly Uint8Array[]): void => {
      for (const bytes of list) for (const { socket } of [b, c]) a.socket.send(socket.local, bytes)
    }
    send(all.slice(0, 10))
    await Promise.resolve()
    send(all.slice(10))
    await Promise.all([b.has(20), c.has(20)])
    expect([libc.calls, b.received, c.received]).toEqual([[2, 2], all, all])
  })

  test('brings datagrams of any lengths to any destinations whole, once and in order', async () => {
    const a = await inbox()
    const others = await Promise.all([inbox(), inbox()])
    const sends = fc.array(fc.record({ to: fc.nat(1), length: fc.oneof(fc.nat(3), fc.nat(1500), fc.constant(1200)) }), {
      maxLength: 150,
    })
    await fc.assert(
      fc.asyncProperty(sends, async (list) => {
        const wanted: Uint8Array[][] = [[], []]
        for (const [index, { to, length }] of list.entries()) {
          const bytes = new Uint8Array(length).fill(index)
          wanted[to]?.push(bytes)
          a.socket.send((others[to] as Inbox).socket.local, bytes)
        }
        await Promise.all(others.map((other, index) => other.has((wanted[index] as Uint8Array[]).length)))
        expect(others.map(({ received }) => received.splice(0))).toEqual(wanted)
      }),
    )
    expect(a.unsent).toEqual({})
  })

  test('hands out memory of its own: what comes later changes nothing that came before', async () => {
    const [a, b] = [await inbox(), await inbox()]
    a.socket.send(b.socket.local, Uint8Array.of(1))
    await b.has(1)
    a.socket.send(b.socket.local, Uint8Array.of(2))
    await b.has(2)
    expect(b.received).toEqual([Uint8Array.of(1), Uint8Array.of(2)])
  })

  test('waits when the kernel’s buffer is full, and then sends everything in order', async () => {
    const libc = refusing('EAGAIN')
    const [a, b] = [await inbox(libc), await inbox()]
    a.socket.send(b.socket.local, Uint8Array.of(1))
    await Promise.resolve()
    a.socket.send(b.socket.local, Uint8Array.of(2))
    await b.has(2)
    expect(b.received).toEqual([Uint8Array.of(1), Uint8Array.of(2)])
    expect(libc.calls).toHaveLength(2)
    expect(a.unsent).toEqual({})
  })

  test('keeps a bounded number of datagrams while it waits, and counts the others', async () => {
    const libc = refusing('EAGAIN')
    const [a, b] = [await inbox(libc), await inbox()]
    for (let index = 0; index < 300; index++) a.socket.send(b.socket.local, Uint8Array.of(index))
    expect(a.unsent).toEqual({ sendBufferFull: 300 - 256 })
    await b.has(256)
    expect(b.received.map(([first]) => first)).toEqual(Array.from({ length: 256 }, (_, index) => index))
  })

  test('tries again what a signal interrupted', async () => {
    const [a, b] = [await inbox(refusing('EINTR', 'EINTR')), await inbox()]
    a.socket.send(b.socket.local, Uint8Array.of(1))
    await b.has(1)
    expect(a.unsent).toEqual({})
  })

  test.each([
    ['ENOBUFS', 'sendBufferFull'],
    ['ENOMEM', 'sendBufferFull'],
    ['EPERM', 'sendFailed'],
    ['ENETUNREACH', 'sendFailed'],
    ['ECONNREFUSED', 'sendFailed'],
    ['EBADF', 'sendFailed'],
  ] as const)('counts the message that is refused by %s as %s, and sends the others', async (code, why) => {
    const [a, b] = [await inbox(refusing(code)), await inbox()]
    a.socket.send({ ip: '127.0.0.1', port: a.socket.local.port }, Uint8Array.of(1))
    a.socket.send(b.socket.local, Uint8Array.of(2))
    await b.has(1)
    expect([a.unsent, a.received, b.received]).toEqual([{ [why]: 1 }, [], [Uint8Array.of(2)]])
  })

  test('sends each datagram by itself where a device cannot cut trains', async () => {
    const libc = refusing('EIO')
    const [a, b] = [await inbox(libc), await inbox()]
    for (const bytes of numbered(20, 500)) a.socket.send(b.socket.local, bytes)
    await b.has(20)
    expect([libc.calls, a.unsent, b.received]).toEqual([[1, 20], {}, numbered(20, 500)])
  })

  test.each(['EMSGSIZE', 'EINVAL'] as const)(
    'sends each datagram of a train by itself when %s refuses it, and the next train as one again',
    async (code) => {
      const libc = refusing(code)
      const [a, b] = [await inbox(libc), await inbox()]
      for (const bytes of numbered(20, 500)) a.socket.send(b.socket.local, bytes)
      await b.has(20)
      for (const bytes of numbered(20, 500)) a.socket.send(b.socket.local, bytes)
      await b.has(40)
      expect([libc.calls, a.unsent]).toEqual([[1, 20, 1], {}])
      expect(b.received).toEqual([...numbered(20, 500), ...numbered(20, 500)])
    },
  )

  test('counts each datagram of a train that is too large for its link, and sends the others', async () => {
    // One byte more than any IPv4 packet has room for.
    const [a, b] = [await inbox(), await inbox()]
    for (let index = 0; index < 3; index++) a.socket.send(b.socket.local, new Uint8Array(65_508))
    a.socket.send(b.socket.local, Uint8Array.of(1))
    await b.has(1)
    expect([a.unsent, b.received]).toEqual([{ sendTooLarge: 3 }, [Uint8Array.of(1)]])
  })

  describe.each([
    ['IPv4', '127.0.0.1', {}, IPPROTO_IP, IP_MTU_DISCOVER],
    ['IPv6', '::1', needsIpv6, IPPROTO_IPV6, IPV6_MTU_DISCOVER],
  ])('over %s', (_family, host, needed, level, name) => {
    test('tells what its link takes whole', needed, async () => {
      const { socket } = await inbox(real, { host, port: 0 })
      // Of IPv4 a packet has no more.
      const mtu = Math.min(Number(readFileSync('/sys/class/net/lo/mtu', 'utf8')), host === '::1' ? 65_536 : 65_535)
      expect(socket.unfragmented?.({ ip: host, port: 5 })).toBe(mtu - (host === '::1' ? 48 : 28))
    })

    test('does not tell where the system may fragment, or has no way there', needed, async () => {
      const refused = (call: number): Libc => ({
        ...real,
        setsockopt: (descriptor, family, option, value, length) =>
          call === 0 && option === name ? -1 : real.setsockopt(descriptor, family, option, value, length),
        connect: (...to) => (call === 1 ? -1 : real.connect(...to)),
        getsockopt: (descriptor, family, option, value, length) =>
          call === 2 && family === level ? -1 : real.getsockopt(descriptor, family, option, value, length),
      })
      for (const call of [0, 1, 2]) {
        const { socket } = await inbox(refused(call), { host, port: 0 })
        expect(socket.unfragmented?.({ ip: host, port: 5 })).toBeUndefined()
      }
    })

    test('lets no datagram be fragmented', needed, async () => {
      let descriptor = -1
      const libc: Libc = {
        ...real,
        socket(...kind) {
          descriptor = real.socket(...kind)
          return descriptor
        },
      }
      await inbox(libc, { host, port: 0 })
      const [value, length] = [Buffer.alloc(4), Buffer.from([4, 0, 0, 0])]
      real.getsockopt(descriptor, level, name, value, length)
      // IP_PMTUDISC_PROBE of linux/in.h, and IPV6_PMTUDISC_PROBE of linux/in6.h.
      expect(value.readInt32LE()).toBe(3)
    })
  })

  test('sends before it closes, and delivers nothing after', async () => {
    const [a, b] = [await inbox(), await inbox()]
    b.socket.send(a.socket.local, Uint8Array.of(1))
    a.socket.send(b.socket.local, Uint8Array.of(2))
    await a.socket.close()
    a.socket.send(b.socket.local, Uint8Array.of(3))
    await b.has(1)
    expect([a.received, b.received]).toEqual([[], [Uint8Array.of(2)]])
  })

  test('may be closed by what it delivers, in the middle of a batch', async () => {
    const [a, b] = [await inbox(), await inbox()]
    const received: number[] = []
    const closed = new Promise<void>((resolve) => {
      b.socket.receive({
        datagram([first]) {
          received.push(first as number)
          if (first === 2) void b.socket.close().then(resolve)
        },
        batchEnded: () => {},
        unsent: () => {},
        failed: () => {},
      })
    })
    for (const bytes of numbered(10, 100)) a.socket.send(b.socket.local, bytes)
    await closed
    expect(received).toEqual([0, 1, 2])
  })

  test('counts what still waits for the kernel when it closes', async () => {
    const [a, b] = [await inbox(refusing('EAGAIN')), await inbox()]
    a.socket.send(b.socket.local, Uint8Array.of(1))
    await Promise.resolve()
    a.socket.send(b.socket.local, Uint8Array.of(2))
    await a.socket.close()
    expect(a.unsent).toEqual({ sendBufferFull: 2 })
  })

  test('goes on when a peer has vanished, whose host says so', async () => {
    const [a, b, gone] = [await inbox(), await inbox(), await inbox()]
    await gone.socket.close()
    for (const bytes of numbered(20, 100)) {
      a.socket.send(gone.socket.local, bytes)
      a.socket.send(b.socket.local, bytes)
      await turn()
    }
    b.socket.send(a.socket.local, Uint8Array.of(9))
    await Promise.all([a.has(1), b.has(20)])
    expect([a.unsent, a.errors, b.received]).toEqual([{}, 0, numbered(20, 100)])
  })

  test('drops a datagram whose address or length is not what was asked for', async () => {
    // What the kernel wrote into the first header: name length at 8, flags at 48.
    const written = [
      (headers: Buffer) => headers.writeUInt32LE(29, 8),
      (headers: Buffer) => headers.writeInt32LE(0x20, 48),
    ]
    const libc: Libc = {
      ...real,
      recvmmsg(descriptor, headers, ...rest) {
        const count = real.recvmmsg(descriptor, headers, ...rest)
        if (count > 0) written.shift()?.(Buffer.from(headers.buffer, headers.byteOffset, headers.length))
        return count
      },
    }
    const [a, b] = [await inbox(), await inbox(libc)]
    for (let index = 0; index < 3; index++) {
      a.socket.send(b.socket.local, Uint8Array.of(index))
      await turn()
      await turn()
    }
    await b.has(1)
    expect(b.received).toEqual([Uint8Array.of(2)])
  })

  test('of IPv6 takes nothing of IPv4', needsIpv6, async () => {
    const wide = await inbox(real, { host: '::', port: 0 })
    const [four, six] = [await inbox(), await inbox(real, { host: '::1', port: 0 })]
    const { port } = wide.socket.local
    four.socket.send({ ip: '127.0.0.1', port }, Uint8Array.of(4))
    await turn()
    six.socket.send({ ip: '::1', port }, Uint8Array.of(6))
    await wide.has(1)
    expect([wide.received, wide.sources]).toEqual([[Uint8Array.of(6)], [six.socket.local]])
  })

  test('leaves no descriptor open when its address is taken', async () => {
    const descriptors: number[] = []
    const counting: Libc = {
      ...real,
      socket(...kind) {
        const descriptor = real.socket(...kind)
        descriptors.push(descriptor)
        return descriptor
      },
      close(descriptor) {
        descriptors.splice(descriptors.indexOf(descriptor), 1)
        return real.close(descriptor)
      },
    }
    const { socket } = await inbox()
    const taken = batchedSockets(counting).bind({ host: '127.0.0.1', port: socket.local.port })
    await expect(taken).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(descriptors).toEqual([])
  })

  test('says that no descriptor is left', async () => {
    const libc: Libc = { ...real, socket: () => -1, errno: () => ERRNO.EMFILE }
    await expect(batchedSockets(libc).bind(LOOPBACK)).rejects.toMatchObject({ code: 'EMFILE' })
  })
})

/** The real system calls, with a poll that a test calls itself, and errors of the next reads. */
function watched(...errors: readonly Refusal[]): Libc & {
  ready: (status: number) => void
  readonly started: Partial<PollEvents>[]
} {
  const left = [...errors]
  let errno = 0
  const made = {
    ...real,
    ready: (_status: number): void => {},
    started: [] as Partial<PollEvents>[],
    recvmmsg(...call: Parameters<Libc['recvmmsg']>): number {
      const error = left.shift()
      errno = error === undefined ? 0 : ERRNO[error]
      return error === undefined ? real.recvmmsg(...call) : -1
    },
    errno: () => (errno === 0 ? real.errno() : errno),
    poll(_descriptor: number, wanted: Partial<PollEvents>, callback: PollCallback) {
      made.started.push(wanted)
      made.ready = (status) => callback(status, { readable: status === 0, writable: false })
      return {
        start: (again: Partial<PollEvents>) => void made.started.push(again),
        close: () => {},
      }
    },
  }
  return made
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a batched socket whose descriptor has an error', needsBatched, () => {
  // libuv stops to watch a descriptor that has an error, and says EBADF, whichever it is.
  const STOPPED = -ERRNO.EBADF

  test.each(['ECONNREFUSED', 'ENETUNREACH', 'EPERM'] as const)(
    'goes on after %s, which is counted once',
    async (code) => {
      const libc = watched(code)
      const [a, b] = [await inbox(), await inbox(libc)]
      libc.ready(STOPPED)
      await turn()
      expect([b.errors, libc.started]).toEqual([1, [{ readable: true }, { readable: true, writable: false }]])
      a.socket.send(b.socket.local, Uint8Array.of(1))
      await turn()
      libc.ready(0)
      await turn()
      expect([b.errors, b.received]).toEqual([1, [Uint8Array.of(1)]])
    },
  )

  test('asks no more when it is none any longer', async () => {
    const libc = watched('EBADF')
    const b = await inbox(libc)
    libc.ready(STOPPED)
    await turn()
    expect([b.errors, libc.started]).toEqual([1, [{ readable: true }]])
    await b.socket.close()
  })

  test('is left alone when it was closed meanwhile', async () => {
    const libc = watched('EBADF')
    const b = await inbox(libc)
    libc.ready(STOPPED)
    await b.socket.close()
    await turn()
    expect([b.errors, libc.started]).toEqual([0, [{ readable: true }]])
  })

  test.each(['EAGAIN', 'EINTR'] as const)('counts nothing for %s', async (code) => {
    const libc = watched(code)
    const b = await inbox(libc)
    libc.ready(0)
    await turn()
    expect([b.errors, libc.started]).toEqual([0, [{ readable: true }]])
  })
})

describe('the choice', () => {
  test('refuses a kind that there is not', async () => {
    await expect(chooseSocket('quick' as SocketWish)).rejects.toMatchObject({
      code: 'ERR_BAD_CONFIG',
      message: expect.stringContaining('auto, batched, dgram'),
    })
  })

  test('is batched where the self-test passes', needsBatched, async () => {
    expect(await chooseSocket('auto')).toMatchObject({ kind: 'batched', reason: 'its self-test passed' })
    expect(await selfTest(real)).toBeUndefined()
  })

  test('tells why the package cannot be loaded', needsBatched, () => {
    const missing = (): never => {
      throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' })
    }
    expect(loadLibc(missing)).toBe('the package koffi cannot be loaded (MODULE_NOT_FOUND)')
  })

  test.each<[string, Partial<Libc>]>([
    ['sends nothing', { sendmmsg: (_descriptor, _headers, count) => count }],
    ['refuses to send', { sendmmsg: () => -1, errno: () => ERRNO.EPERM }],
    ['has no socket', { socket: () => -1, errno: () => ERRNO.EPERM }],
    ['does not know the calls', { recvmmsg: () => -1, errno: () => 38 }],
  ])('is not batched on a system that %s', needsBatched, async (_what, changes) => {
    expect(await selfTest({ ...real, ...changes })).toMatch(/^(its system calls fail|what it sends to itself)/)
  })
})

describe('datagrams that are borrowed', () => {
  const [LENT, KEPT] = [0xb3, 0xb1]
  const isLent = ([first]: Uint8Array): boolean => first === LENT

  test.each([
    ['one by one', 1],
    ['as a train', 0],
  ])('lie where the kernel wrote them, and all others in memory of their own: %s', async (_how, growth) => {
    const [a, b] = [await inbox(), await inbox(real, LOOPBACK, isLent)]
    const sent = Array.from({ length: 12 }, (_, index) => {
      // Trains have datagrams of one length.
      const bytes = new Uint8Array(100 + growth * index).fill(index)
      bytes[0] = index % 2 === 0 ? LENT : KEPT
      return bytes
    })
    for (let round = 1; round <= 3; round++) {
      for (const bytes of sent) a.socket.send(b.socket.local, bytes)
      await b.has(round * sent.length)
      // Until the next ones come, all of them are as they were.
      expect(b.received.slice(-sent.length)).toEqual(sent)
    }
    const kept = b.received.filter(([first]) => first === KEPT)
    expect(kept).toEqual([sent, sent, sent].flat().filter(([first]) => first === KEPT))
    const buffers = (of: number) => new Set(b.received.filter(([first]) => first === of).map(({ buffer }) => buffer))
    const [lent, own] = [buffers(LENT), [...buffers(KEPT)]]
    expect(lent.size).toBe(1)
    expect(own.filter((buffer) => lent.has(buffer))).toEqual([])
  })

  test('keep others no larger memory than 16 KiB, of which each has its part', async () => {
    const [a, b] = [await inbox(), await inbox(real, LOOPBACK, isLent)]
    const sent = Array.from({ length: 40 }, (_, index) => new Uint8Array(1400).fill(index))
    for (const bytes of sent) a.socket.send(b.socket.local, bytes)
    await b.has(sent.length)
    expect(b.received).toEqual(sent)
    expect(Math.max(...b.received.map(({ buffer }) => buffer.byteLength))).toBeLessThanOrEqual(16 * 1024)
  })

  test('an empty one is none, whatever was there before', async () => {
    const [a, b] = [await inbox(), await inbox(real, LOOPBACK, isLent)]
    a.socket.send(b.socket.local, Uint8Array.of(LENT))
    await b.has(1)
    a.socket.send(b.socket.local, new Uint8Array(0))
    await b.has(2)
    expect(b.received[1]).toEqual(new Uint8Array(0))
  })
})

describe('the address of a socket', () => {
  const endpoints = fc.record({
    ip: fc
      .oneof(
        fc.ipV4(),
        fc.ipV6().map((ip) => canonicalIp(ip) ?? '::1'),
      )
      .filter((ip) => canonicalIp(ip) === ip),
    port: fc.integer({ min: 0, max: 65_535 }),
  })

  test('comes back as it was', () => {
    fc.assert(
      fc.property(endpoints, (endpoint) => {
        expect(decodeAddress(encodeAddress(endpoint))).toEqual(endpoint)
      }),
    )
  })

  test('has the bytes of sockaddr_in and sockaddr_in6', () => {
    expect(Buffer.from(encodeAddress({ ip: '192.0.2.1', port: 0x1234 })).toString('hex')).toBe(
      '02001234c00002010000000000000000',
    )
    expect(Buffer.from(encodeAddress({ ip: '2001:db8::5', port: 80 })).toString('hex')).toBe(
      '0a0000500000000020010db800000000000000000000000500000000',
    )
  })

  test('on one interface has its number', () => {
    const route = { ip: 'fe80::1', port: 5, socket: socketOnLink(2) }
    const bytes = encodeAddress(route)
    expect([bytes[24], decodeAddress(bytes)]).toEqual([2, route])
    expect(encodeAddress({ ...route, socket: 16 })[24]).toBe(0)
    const book = new DestinationBook()
    const scopes = [2, 3, 0].map((scope) => book.destination({ ...route, socket: socketOnLink(scope) }).bytes[24])
    expect(scopes).toEqual([2, 3, 0])
  })

  test('of very many is found again: there are more places for them', () => {
    const book = new SourceBook()
    const words = new Int32Array(4)
    const sourceOf = (number: number): Endpoint | undefined => {
      words.set(new Int32Array(encodeAddress({ ip: `10.0.${number >> 8}.${number & 0xff}`, port: 4000 }).buffer))
      return book.source(words, 0, 4)
    }
    const all = Array.from({ length: 10_000 }, (_, number) => number)
    for (let round = 0; round < 20; round++)
      for (const number of all) expect(sourceOf(number)?.ip).toBe(`10.0.${number >> 8}.${number & 0xff}`)
    const before = all.map(sourceOf)
    const kept = all.filter((number) => sourceOf(number) === before[number])
    expect(kept.length).toBeGreaterThan(0.8 * all.length)
  })

  test('is found again, whatever came in between', () => {
    const [sources, destinations] = [new SourceBook(), new DestinationBook()]
    const sourceOf = (endpoint: Endpoint): Endpoint | undefined => {
      const { buffer, byteOffset, length } = encodeAddress(endpoint)
      // In the middle of others, as a ring has them.
      const words = new Int32Array(20).fill(-1)
      words.set(new Int32Array(buffer, byteOffset, length / 4), 7)
      return sources.source(words, 7, length / 4)
    }
    fc.assert(
      fc.property(fc.array(endpoints, { maxLength: 50 }), (list) => {
        for (const endpoint of list) {
          const source = sourceOf(endpoint) as Endpoint
          expect({ ...source }).toEqual(endpoint)
          expect(decodeAddress(destinations.destination(endpoint).bytes)).toEqual(endpoint)
          expect(decodeAddress(destinations.destination(source).bytes)).toEqual(endpoint)
        }
      }),
      { numRuns: 300 },
    )
  })
})
