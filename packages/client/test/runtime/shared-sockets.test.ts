/** Sockets that several processes have on one port; here both are this process. */
import { afterEach, expect, test } from 'vitest'
import { openSharedSockets, openUdp, type UdpSocket } from '../../src/runtime/index.ts'
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
