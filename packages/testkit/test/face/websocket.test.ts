/** Real sockets: a peer whose UDP goes nowhere, and a relay that takes WebSocket connections. */
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { type Connection, type Path, Peer, type PeerOptions } from '@showchain/client'
import { nodeRuntime, type Runtime } from '@showchain/client/runtime'
import { generateIdentity } from '@showchain/crypto'
import { Relay, type RelayOpenOptions } from '@showchain/server/runtime'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { streamOf, take, textOf } from './bed.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

/** It is asked for each 4 s. */
const UDP_BACK = { timeout: 8000 }

/** A system whose UDP can be blocked. */
class Firewall {
  blocked = true

  readonly runtime: Runtime = {
    ...nodeRuntime,
    openSocket: async (options) => {
      const socket = await nodeRuntime.openSocket(options)
      const send = socket.send.bind(socket)
      socket.send = (to, bytes) => void (this.blocked || send(to, bytes))
      return socket
    },
  }
}

async function openRelay(options: Partial<RelayOpenOptions> = {}): Promise<Relay> {
  const relay = await Relay.open({
    identity: await generateIdentity(),
    listen: [{ host: '127.0.0.1', port: 0 }],
    websocket: { listen: { host: '127.0.0.1', port: 0 } },
    ...options,
  })
  onTestFinished(() => relay.close())
  return relay
}

async function openPeer(relay: Relay, firewall?: Firewall, options: Partial<PeerOptions> = {}): Promise<Peer> {
  const peer = await Peer.open({
    ...{ identity: await generateIdentity(), relays: [relay.ticket], addressPolicy: 'lab' },
    listen: [{ host: '127.0.0.1', port: 0 }],
    ...(firewall && { runtime: firewall.runtime }),
    ...options,
  })
  onTestFinished(() => peer.close())
  await peer.registered()
  return peer
}

const overOf = (peer: Peer): readonly string[] => peer.inspect().relays.map(({ over }) => over)

/** A proxy that lets CONNECT to one port through, for the peers of this test. @returns what it was asked for */
async function proxy(allows: number | undefined): Promise<{ readonly asked: readonly string[] }> {
  const asked: string[] = []
  const server = createServer().on('connect', ({ url = '' }, socket) => {
    asked.push(url)
    const [host, port] = url.split(':')
    if (Number(port) !== allows) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    const onward = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    for (const each of [onward, socket]) each.on('error', () => each.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  vi.stubEnv('HTTPS_PROXY', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  vi.stubEnv('NO_PROXY', '')
  return { asked }
}

/** A connection that carries a stream; its two ends. */
async function connected(from: Peer, to: Peer): Promise<readonly [Connection, Connection]> {
  const [ours, theirs] = await Promise.all([from.connect(to.ticket), take(to.incoming)])
  const [stream, incoming] = await streamOf([ours, theirs])
  expect(textOf(await incoming.read())).toBe('first')
  await stream.end()
  return [ours, theirs]
}

describe('a peer without UDP', () => {
  test('reaches its relay by WebSocket, and another peer through it', async () => {
    const relay = await openRelay()
    const blocked = await openPeer(relay, new Firewall())
    expect(overOf(blocked)).toEqual(['websocket'])
    const other = await openPeer(relay)
    expect(overOf(other)).toEqual(['udp'])
    const [connection] = await connected(other, blocked)
    expect(connection.path).toMatchObject({ kind: 'relay' })
    expect(relay.stats().websockets).toBe(1)
  })

  test('comes back to UDP once that is let through, and its connection becomes direct', {
    tags: ['long'],
  }, async () => {
    const relay = await openRelay()
    const firewall = new Firewall()
    const blocked = await openPeer(relay, firewall)
    const other = await openPeer(relay)
    const [connection] = await connected(other, blocked)
    const direct = new Promise<Path>((resolve) => {
      connection.on('path', (path) => path.kind === 'direct' && resolve(path))
    })
    firewall.blocked = false
    await direct
    await vi.waitFor(() => expect([overOf(blocked), relay.stats().websockets]).toEqual([['udp'], 0]), UDP_BACK)
  })

  test('goes through the proxy that the environment names', { tags: ['long'] }, async () => {
    const relay = await openRelay()
    const { asked } = await proxy(relay.websocketAddress?.port)
    expect(overOf(await openPeer(relay, new Firewall()))).toEqual(['websocket'])
    expect(asked).toEqual([`127.0.0.1:${relay.websocketAddress?.port}`])
    vi.stubEnv('NO_PROXY', '127.0.0.1')
    expect(overOf(await openPeer(relay, new Firewall()))).toEqual(['websocket'])
    expect(asked).toHaveLength(1)
  })

  // A request over UDP is given up after 12 s.
  test('says what the proxy said that refuses', { tags: ['long'] }, async () => {
    await proxy(1)
    const refused = openPeer(await openRelay(), new Firewall())
    await expect(refused).rejects.toMatchObject({ message: expect.stringContaining('by WebSocket: ') })
  })
})
