/** Addresses of one link, as Node writes them: what comes from which interface, and where what is sent goes. */
import dgram from 'node:dgram'
import { EventEmitter } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Datagram, LanLink } from '../../src/core/index.ts'
import { DgramSocket } from '../../src/runtime/dgram-socket.ts'
import { nodeLan, UdpSocket } from '../../src/runtime/index.ts'

/** As node:dgram's, without a network. */
class QuietSocket extends EventEmitter {
  readonly sent: string[] = []
  readonly calls: unknown[] = []
  readonly ttls: number[] = []

  address = () => ({ address: '::', port: 4000, family: 'IPv6' })
  send = (_bytes: Uint8Array, port: number, ip: string): void => void this.sent.push(`${ip} ${port}`)
  bind = (where: unknown, done: () => void): void => {
    this.calls.push(where)
    done()
  }
  setMulticastTTL = (ttl: number): void => void this.ttls.push(ttl)
  setMulticastInterface = (on: string): void => void this.calls.push(on)
  addMembership = (group: string, on: string): void => void this.calls.push(`${group} ${on}`)
  close = (done: () => void): void => done()
}

const { createSocket } = dgram
const { networkInterfaces } = os
const made: QuietSocket[] = []
const at = (scopeid: number) => [{ address: 'fe80::1', internal: false, cidr: 'fe80::1/64', scopeid }]

beforeAll(() => {
  dgram.createSocket = (() => {
    const socket = new QuietSocket()
    made.push(socket)
    return socket
  }) as unknown as typeof createSocket
  os.networkInterfaces = (() => ({ first0: at(2), second0: at(3) })) as unknown as typeof networkInterfaces
  syncBuiltinESMExports()
})
afterAll(() => {
  dgram.createSocket = createSocket
  os.networkInterfaces = networkInterfaces
  syncBuiltinESMExports()
})

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('a socket that takes link-local addresses has each with its interface, and sends there alone', async () => {
  const quiet = new QuietSocket()
  const bound = new DgramSocket(quiet as unknown as dgram.Socket)
  const socket = new UdpSocket([bound], [], { kind: 'dgram', reason: 'a test' }, { linkLocal: true })
  const received: Datagram[] = []
  socket.onDatagrams((batch) => received.push(...batch))
  for (const address of ['fe80::9%second0', 'fe80::9%first0', 'fe80::9%gone', '2001:db8::1'])
    quiet.emit('message', Buffer.of(1), { address, port: 9 })
  await turn()
  expect(received.map(({ source }) => source)).toEqual([
    { ip: 'fe80::9', port: 9, socket: -3 },
    { ip: 'fe80::9', port: 9, socket: -2 },
    { ip: '2001:db8::1', port: 9 },
  ])
  for (const { source } of received) socket.send(source, Uint8Array.of(2))
  expect(quiet.sent).toEqual(['fe80::9%second0 9', 'fe80::9%first0 9', '2001:db8::1 9'])
  expect(socket.counters.linkLocalSource).toBe(1)
})

test('another socket takes none, and counts them', async () => {
  const quiet = new QuietSocket()
  const bound = new DgramSocket(quiet as unknown as dgram.Socket)
  const socket = new UdpSocket([bound], [], { kind: 'dgram', reason: 'a test' })
  const received: Datagram[] = []
  socket.onDatagrams((batch) => received.push(...batch))
  for (const address of ['fe80::9%second0', '2001:db8::1']) quiet.emit('message', Buffer.of(1), { address, port: 9 })
  await turn()
  expect(received.map(({ source }) => source.ip)).toEqual(['2001:db8::1'])
  expect(socket.counters.linkLocalSource).toBe(1)
})

test('mDNS of IPv6 is of one interface: what another one hears has no address of the link', async () => {
  const link: LanLink = { name: 'second0', family: 6, scope: 3, subnets: [{ ip: 'fe80::1', prefix: 64 }] }
  const socket = await nodeLan.open(link)
  const quiet = made.at(-1) as QuietSocket
  expect(quiet.calls).toEqual([{ address: '::', port: 5353 }, '::%second0', 'ff02::fb ::%second0'])
  expect(quiet.ttls).toEqual([255])
  const heard: string[] = []
  socket.onDatagrams((batch) => heard.push(...batch.map(({ source }) => source.ip)))
  for (const address of ['fe80::9%second0', 'fe80::9%first0', 'fd00::9'])
    quiet.emit('message', Buffer.of(1), { address, port: 5353 })
  expect(heard).toEqual(['fe80::9', 'fe80::9%first0', 'fd00::9'])
  await socket.close()
})
