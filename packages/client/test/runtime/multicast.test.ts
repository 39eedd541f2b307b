/** Sockets for mDNS on loopback: nothing of these tests reaches a network. */
import { afterEach, expect, test } from 'vitest'
import { type Datagram, type LanLink, MDNS_GROUP } from '../../src/core/index.ts'
import { type DatagramSocket, nodeLan } from '../../src/runtime/index.ts'

const LOOPBACK: LanLink = { name: 'lo', family: 4, scope: 0, subnets: [{ ip: '127.0.0.1', prefix: 8 }] }
const open: DatagramSocket[] = []
afterEach(() => Promise.all(open.splice(0).map((socket) => socket.close())))

async function opened(link: LanLink): Promise<DatagramSocket> {
  const socket = await nodeLan.open(link)
  open.push(socket)
  return socket
}

test.runIf(process.platform === 'linux')('two sockets of one host share the port, and hear each other', async () => {
  const [one, other] = [await opened(LOOPBACK), await opened(LOOPBACK)]
  const message = Uint8Array.of(1, 2, 3, 250)
  const heard = Promise.all(
    [one, other].map(
      (socket) =>
        new Promise<Datagram>((resolve) => {
          socket.onDatagrams((batch) => {
            const mine = batch.find(({ bytes }) => bytes.length === message.length)
            if (mine !== undefined) resolve(mine)
          })
        }),
    ),
  )
  one.send(MDNS_GROUP, message)
  const expected = { bytes: message, source: { ip: '127.0.0.1', port: MDNS_GROUP.port } }
  expect(await heard).toEqual([expected, expected])
})

test('a link that this host does not have is told as an error; closing twice is closing once', async () => {
  await expect(
    opened({ name: 'gone', family: 4, scope: 0, subnets: [{ ip: '192.0.2.77', prefix: 24 }] }),
  ).rejects.toThrow()
  const socket = await opened(LOOPBACK)
  await socket.close()
  await socket.close()
  expect(() => socket.send(MDNS_GROUP, new Uint8Array(1))).not.toThrow()
})
