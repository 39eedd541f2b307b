/** Who may use a relay, as its operator says it: real process, real sockets. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { generateIdentity, type Identity } from '@showchain/crypto'
import { formatTicket, parseTicket } from '@showchain/wire'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { peerOf, relayLab, sendUntilLimited } from './relay-lab.ts'

const { folder, running, start } = relayLab()
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

/** What `showchain-relay token` makes for the relay of this ticket. */
async function token(ticket: string, ...args: readonly string[]): Promise<string> {
  const made = start('token', ticket, '--identity', folder.file('relay.pem'), ...args)
  const line = await made.stdout.line(/./)
  expect((await made.ended()).code).toBe(0)
  return line
}

const NO_PERMIT = /serves who has a permit/
const UNKNOWN = /does not know you/
const USED_UP = /bytes of the permit .* are used up/
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

  test('token: serves who has a ticket that it made, for so long and so much, also when it starts again', async () => {
    const args = ['--access', 'token', '--usage', folder.file('usage'), '--drain-seconds', '0']
    const relay = running(...args)
    const ticket = await relay.stdout.line(/./)
    await using other = await peerOf(stranger, ticket)
    await expect(other.registered()).rejects.toThrow(NO_PERMIT)
    const own = await token(ticket, '--id', known.id, '--days', '1', '--bytes', '100k')
    await using thief = await peerOf(stranger, own)
    await expect(thief.registered()).rejects.toThrow(/is for another id/)
    await using to = await peerOf(stranger, await token(ticket), 'relay-only')
    const from = await peerOf(known, own, 'relay-only')
    await Promise.all([to.registered(), from.registered()])
    expect((await sendUntilLimited(from, to)).reason).toMatch(USED_UP)
    await from.close()
    relay.child.kill('SIGTERM')
    await relay.ended()
    const restarted = running(...args)
    const { permit } = parseTicket(own)
    const again = formatTicket({ ...parseTicket(await restarted.stdout.line(/./)), permit })
    await using late = await peerOf(known, again)
    await expect(late.registered()).rejects.toThrow(USED_UP)
  })

  test.each([
    [['--days', '0'], '--days'],
    [['--bytes', '5X'], '--bytes'],
    [['--id', 'me'], '--id'],
  ])('a token with %j is none', async (args, flag) => {
    const relay = running()
    const made = start('token', await relay.stdout.line(/./), '--identity', folder.file('relay.pem'), ...args)
    expect(await made.ended()).toMatchObject({ code: 2 })
    expect(await made.stderr.line(/./)).toContain(`token ${flag}: `)
  })

  test('a token is taken back by a ban of its number', async () => {
    const control = folder.file('ctl')
    const relay = running('--access', 'token', '--control', control)
    const made = start('token', await relay.stdout.line(/./), '--identity', folder.file('relay.pem'))
    const ticket = await made.stdout.line(/./)
    const [number = ''] = /permit:[0-9a-f]{16}/.exec(await made.stderr.line(/is for whoever has it/)) ?? []
    await using peer = await peerOf(known, ticket)
    await peer.registered()
    expect(await start('ctl', '--control', control, 'ban', number).ended()).toMatchObject({ code: 0 })
    await using other = await peerOf(stranger, ticket)
    await expect(other.registered()).rejects.toThrow(UNKNOWN)
  })

  test('a token is made by the relay of the ticket alone', async () => {
    const relay = running()
    const own = formatTicket({ ...parseTicket(await relay.stdout.line(/./)), id: stranger.id })
    const made = start('token', own, '--identity', folder.file('relay.pem'))
    expect(await made.ended()).toMatchObject({ code: 2 })
    expect(await made.stderr.line(/./)).toContain(`It is that of ${stranger.id}`)
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
