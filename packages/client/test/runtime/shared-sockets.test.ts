/** Sockets that several processes have on one port; here both are this process. */
import { afterEach, expect, test } from 'vitest'
import { loadLibc } from '../../src/runtime/batched/libc.ts'
import { steer } from '../../src/runtime/batched/steering.ts'
import { openSharedSockets, openUdp, type Steering, type UdpSocket } from '../../src/runtime/index.ts'
import { needsBatched } from './kinds.ts'

const LOOPBACK = [{ host: '127.0.0.1', port: 0 }]
const SENDERS = 16
const EACH = 4
const open: UdpSocket[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((socket) => socket.close()))
})

async function opened(options: Parameters<typeof openUdp>[0]): Promise<UdpSocket> {
  const socket = await openUdp(options)
  open.push(socket)
  return socket
}

test('what one address sends comes to one of them, and all of it comes', needsBatched, async () => {
  const { descriptors, endpoints } = await openSharedSockets(LOOPBACK, 2)
  const heard: number[][] = []
  let all = 0
  const everything = new Promise<void>((resolve) => {
    const readers = descriptors.map(async (own, index) => {
      heard[index] = []
      const socket = await opened({ descriptors: own })
      socket.onDatagrams((batch) => {
        for (const { source } of batch) heard[index]?.push(source.port)
        all += batch.length
        if (all === SENDERS * EACH) resolve()
      })
      return socket
    })
    void Promise.all(readers).then(async (sockets) => {
      expect(sockets.map(({ localEndpoints }) => localEndpoints)).toEqual([endpoints, endpoints])
      for (let sender = 0; sender < SENDERS; sender++) {
        const socket = await opened({ listen: LOOPBACK })
        for (let sent = 0; sent < EACH; sent++) socket.send(endpoints[0] as never, new Uint8Array([sent]))
      }
    })
  })
  await everything
  const [one, other] = heard.map((ports) => new Set(ports)) as [Set<number>, Set<number>]
  expect([...one].filter((port) => other.has(port))).toEqual([])
  expect(one.size + other.size).toBe(SENDERS)
})

test('nobody else is there, nor comes', needsBatched, async () => {
  const { descriptors, endpoints, close } = await openSharedSockets(LOOPBACK, 2)
  const there = [{ host: '127.0.0.1', port: endpoints[0]?.port ?? 0 }]
  await expect(openSharedSockets(there, 2)).rejects.toMatchObject({ code: 'ERR_ADDRESS_IN_USE' })
  await expect(openUdp({ listen: there })).rejects.toMatchObject({ code: 'ERR_ADDRESS_IN_USE' })
  expect(descriptors.map(({ length }) => length)).toEqual([1, 1])
  close()
  await opened({ listen: there })
})

const STEERING: Steering = { begins: 0xb3, length: 6, at: 3, first: 258 }
/** Which of two processes gets it: by its number, or, where that is undefined, by its sender. */
const STEERED: readonly (readonly [bytes: readonly number[], process: number | undefined])[] = [
  [[0xb3, 0, 0, 1, 2, 9], 0],
  [[0xb3, 7, 7, 1, 3, 9, 9], 1],
  [[0xb3, 0, 0, 1, 4, 9], undefined],
  [[0xb3, 0, 0, 1, 1, 9], undefined],
  [[0xb3, 0, 0, 0xff, 0xff, 9], undefined],
  [[0xb2, 0, 0, 1, 3, 9], undefined],
  [[0xb3, 0, 0, 1, 3], undefined],
  [[0xb3], undefined],
]

test.each(['127.0.0.1', '::1'])('a datagram goes to the process that it names, at %s', needsBatched, async (host) => {
  const listen = [{ host, port: 0 }]
  const shared = await openSharedSockets(listen, 2)
  expect(shared.steer(STEERING)).toBe(true)
  const heard: string[][][] = [[], []]
  const expected = SENDERS * STEERED.length
  await new Promise<void>((resolve) => {
    let all = 0
    void (async () => {
      for (const [index, descriptors] of shared.descriptors.entries()) {
        const socket = await opened({ descriptors })
        socket.onDatagrams((batch) => {
          for (const { bytes, source } of batch) heard[index]?.push([`${bytes}`, `${source.port}`])
          all += batch.length
          if (all === expected) resolve()
        })
      }
      for (let sender = 0; sender < SENDERS; sender++) {
        const socket = await opened({ listen })
        for (const [bytes] of STEERED) {
          socket.send(shared.endpoints[0] as never, Uint8Array.from(bytes))
          // By itself: the first of a train takes all of it along.
          await Promise.resolve()
        }
      }
    })()
  })
  for (const [bytes, process] of STEERED) {
    const ports = heard.map((all) => new Set(all.filter(([each]) => each === `${bytes}`).map(([, port]) => port)))
    const sizes = ports.map(({ size }) => size)
    if (process !== undefined) expect(sizes[process]).toBe(SENDERS)
    else expect(Math.max(...sizes)).toBeLessThan(SENDERS)
    expect(sizes.reduce((sum, size) => sum + size)).toBe(SENDERS)
  }
})

test('a kernel that does not choose sockets says so', needsBatched, () => {
  const libc = loadLibc()
  if (typeof libc === 'string') throw new Error(libc)
  expect(steer(libc, -1, STEERING)).toBe(false)
})
