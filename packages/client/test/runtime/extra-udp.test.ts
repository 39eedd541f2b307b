import { describe, expect, test } from 'vitest'
import type { Datagram } from '../../src/core/endpoint/machine.ts'
import { ExtraUdpSocket, openUdp } from '../../src/runtime/index.ts'

const BYTES = Uint8Array.of(1, 2, 3)

describe('a socket that is there at once', () => {
  test.each([
    ['IPv4', '127.0.0.1'],
    ['IPv6', '::1'],
  ])('sends over %s from a port of its own and is answered there', async (_family, ip) => {
    const other = await openUdp({ listen: [{ host: ip, port: 0 }] })
    const extra = new ExtraUdpSocket()
    const answer = new Promise<Datagram>((resolve) => extra.onDatagram(resolve))
    other.onDatagram(({ source, bytes }) => other.send(source, bytes))
    const to = other.localEndpoints[0] as { ip: string; port: number }
    extra.send(to, BYTES)
    const { source, bytes } = await answer
    expect(source).toEqual(to)
    expect([...bytes]).toEqual([...BYTES])
    await Promise.all([extra.close(), other.close()])
  })

  test('closes without ever having been used, and twice, and sends nothing after it', async () => {
    const unused = new ExtraUdpSocket()
    await unused.close()
    await unused.close()
    unused.send({ ip: '127.0.0.1', port: 9 }, BYTES)
    expect(unused.localEndpoints).toEqual([])
  })
})
