/** Who may use a relay, as its operator says it: real process, real sockets. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { generateIdentity, type Identity } from '@showchain/crypto'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { peerOf, relayLab } from './relay-lab.ts'

const { running } = relayLab()
let known: Identity
let stranger: Identity
const servers: Server[] = []
beforeAll(async () => {
  ;[known, stranger] = await Promise.all([generateIdentity(), generateIdentity()])
})
afterEach(() => {
  for (const server of servers.splice(0)) server.closeAllConnections()
})

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  return JSON.parse(text)
}

/** A service that answers each question with what `status` says. */
async function service(status: (id: string) => number): Promise<{ readonly url: string; readonly asked: unknown[] }> {
  const asked: unknown[] = []
  const server = createServer(async (request, response) => {
    const body = (await bodyOf(request)) as { readonly id: string }
    asked.push(body)
    response.writeHead(status(body.id)).end('a sentence that nobody reads')
  })
  servers.push(server)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/access`, asked }
}

const UNKNOWN = /does not know you/
const UNDECIDED = /cannot tell at the moment/

describe('access', () => {
  test('ids: serves those that are named, with its own mailbox, and tells others that it does not know them', async () => {
    const relay = running('--access', 'ids', '--allow', known.id, '--mailbox')
    const ticket = await relay.stdout.line(/mailbox=/)
    await using peer = await peerOf(known, ticket)
    await peer.registered()
    await using other = await peerOf(stranger, ticket)
    await expect(other.registered()).rejects.toThrow(UNKNOWN)
  })

  test('http: asks a service with id and source, and does as it says', async () => {
    const { url, asked } = await service((id) => (id === known.id ? 204 : 403))
    const relay = running('--access', 'http', '--access-url', url)
    const ticket = await relay.stdout.line(/./)
    await using peer = await peerOf(known, ticket)
    await peer.registered()
    await using other = await peerOf(stranger, ticket)
    await expect(other.registered()).rejects.toThrow(UNKNOWN)
    expect(asked.slice(0, 2)).toEqual([
      { id: known.id, source: '127.0.0.1', port: expect.any(Number) },
      { id: stranger.id, source: '127.0.0.1', port: expect.any(Number) },
    ])
  })

  test.each([
    ['answers with an error', () => service(() => 500).then(({ url }) => url)],
    ['is not there', () => Promise.resolve('http://127.0.0.1:9/access')],
  ])('http: lets nobody in when the service %s, but for those that are named', async (_, urlOf) => {
    const relay = running('--access', 'http', '--access-url', await urlOf(), '--allow', known.id)
    const ticket = await relay.stdout.line(/./)
    await using other = await peerOf(stranger, ticket)
    await expect(other.registered()).rejects.toThrow(UNDECIDED)
    await using peer = await peerOf(known, ticket)
    await peer.registered()
    expect(peer.ticket).toContain('relay=')
  })
})
