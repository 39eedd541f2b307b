import { generateIdentity, type Identity, messagePreimage, openssl } from '@showchain/crypto'
import { Relay, type RelayOpenOptions, type WebSocketOptions } from '@showchain/server/runtime'
import {
  decode,
  decodeStun,
  encode,
  encodeStun,
  MAX_PROBED_DATAGRAM,
  type Message,
  OP,
  type Unsigned,
  WEBSOCKET_PATH,
} from '@showchain/wire'
import { certificate, nameShownAt } from '@showchain-tooling/vitest/certificates'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'

let relayIdentity: Identity
let peerIdentity: Identity
beforeAll(async () => {
  ;[relayIdentity, peerIdentity] = await Promise.all([generateIdentity(), generateIdentity()])
})

const open: { close(): Promise<void> | void }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

const PROXY: Partial<WebSocketOptions> = { trustedProxies: ['127.0.0.0/8'] }

async function relayWith(
  websocket: Partial<WebSocketOptions> = {},
  options: Partial<RelayOpenOptions> = {},
): Promise<Relay> {
  const relay = await Relay.open({
    identity: relayIdentity,
    listen: [{ host: '127.0.0.1', port: 0 }],
    websocket: { listen: { host: '127.0.0.1', port: 0 }, ...websocket },
    ...options,
  })
  open.push(relay)
  return relay
}

interface Request {
  readonly path?: string
  readonly headers?: Record<string, string>
}

/** A connection, or the status that refused it. */
function connect(relay: Relay, { path = WEBSOCKET_PATH, headers = {} }: Request = {}): Promise<WebSocket | number> {
  const socket = new WebSocket(`ws://127.0.0.1:${relay.websocketAddress?.port}${path}`, { headers })
  open.push({ close: () => socket.terminate() })
  return new Promise((resolve) => {
    socket.on('open', () => resolve(socket))
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
    // A server that closes without an answer.
    socket.on('error', () => resolve(0))
  })
}

async function connected(relay: Relay, request: Request = {}): Promise<WebSocket> {
  const socket = await connect(relay, request)
  if (typeof socket === 'number') throw new Error(`refused: ${socket}`)
  return socket
}

const answer = (socket: WebSocket): Promise<Uint8Array> =>
  new Promise((resolve) => socket.once('message', (data) => resolve(Uint8Array.from(data as Buffer))))
const ended = (socket: WebSocket): Promise<void> => new Promise((resolve) => socket.once('close', () => resolve()))

const QUESTION = encodeStun({ type: 'bindingRequest', transactionId: new Uint8Array(12) })

/** The address that the relay has for a connection. */
async function mapped(socket: WebSocket): Promise<unknown> {
  const answered = answer(socket)
  socket.send(QUESTION)
  return decodeStun(await answered)?.mapped
}

async function request(relay: Relay, seq: number, cookie?: Uint8Array): Promise<Uint8Array> {
  const key = peerIdentity.publicKey.spki
  const unsigned = {
    ...{ op_code: OP.directRequest, id: peerIdentity.id, target: relay.id, seq, ts: Date.now() },
    ext: cookie === undefined ? { key } : { key, cookie },
  }
  const sign = await peerIdentity.sign(messagePreimage(openssl, unsigned as Unsigned))
  return encode({ ...unsigned, sign } as Message, 'binary')
}

async function asked(socket: WebSocket, bytes: Uint8Array): Promise<Message> {
  const answered = answer(socket)
  socket.send(bytes)
  const decoded = decode(await answered)
  if (!decoded.ok) throw new Error(decoded.refusal)
  return decoded.message
}

describe('a relay over WebSocket', () => {
  test('registers a peer on its connection, once it has shown that its request is new', async () => {
    const relay = await relayWith()
    const socket = await connected(relay)
    const challenge = await asked(socket, await request(relay, 1))
    if (challenge.op_code !== OP.challenge) throw new Error('no challenge')
    const response = await asked(socket, await request(relay, 2, challenge.cookie))
    expect(response.op_code).toBe(OP.directResponse)
    expect(relay.stats()).toMatchObject({ bindings: 1, websockets: 1 })
    expect(relay.sourceOf(peerIdentity.id)).toBe('127.0.0.1')
  })

  test('knows a peer on its own connection only, though another has the same address', async () => {
    const relay = await relayWith(PROXY)
    const headers = { 'x-forwarded-for': '203.0.113.5' }
    const [socket, other] = [await connected(relay, { headers }), await connected(relay, { headers })]
    const challenge = await asked(socket, await request(relay, 1))
    if (challenge.op_code !== OP.challenge) throw new Error('no challenge')
    await asked(socket, await request(relay, 2, challenge.cookie))
    const keepAlive = encode({ op_code: OP.keepAlive, id: peerIdentity.id, seq: 0, ts: 0 }, 'binary')
    expect((await asked(other, keepAlive)).op_code).toBe(OP.error)
    expect((await asked(socket, keepAlive)).op_code).toBe(OP.keepAlive)
  })

  test('answers STUN with the address that TCP shows', async () => {
    const relay = await relayWith()
    const socket = await connected(relay)
    expect(await mapped(socket)).toMatchObject({ ip: '127.0.0.1', port: expect.any(Number) })
  })

  test('closes what is no datagram: text, and a message that is longer than one', async () => {
    const relay = await relayWith()
    const [text, long, longest] = [await connected(relay), await connected(relay), await connected(relay)]
    longest.send(new Uint8Array(MAX_PROBED_DATAGRAM))
    expect(await mapped(longest)).toMatchObject({ ip: '127.0.0.1' })
    const both = Promise.all([ended(text), ended(long)])
    text.send('hello')
    long.send(new Uint8Array(MAX_PROBED_DATAGRAM + 1))
    await both
    await vi.waitFor(() => expect(relay.stats().websockets).toBe(1))
    expect(relay.counters()).toMatchObject({ websocketOpened: 3, websocketNotBinary: 2, refused: 1 })
  })

  test('takes no other path, and no plain request', async () => {
    const relay = await relayWith()
    expect(await connect(relay, { path: '/' })).toBe(404)
    const response = await fetch(`http://127.0.0.1:${relay.websocketAddress?.port}${WEBSOCKET_PATH}`)
    expect(response.status).toBe(426)
    expect(relay.counters()).toMatchObject({ websocketOpened: 0, websocketRefused: 2 })
  })

  test('takes sixteen connections of a source, and others after them', async () => {
    const relay = await relayWith(PROXY)
    const from = (ip: string): Request => ({ headers: { 'x-forwarded-for': ip } })
    // One /64 is one source.
    const sockets = await Promise.all(
      Array.from({ length: 16 }, (_, at) => connected(relay, from(`2001:db8::${at + 1}`))),
    )
    expect(await connect(relay, from('2001:db8::ffff'))).toBe(503)
    expect(await connect(relay, from('2001:db8:0:1::1'))).toBeInstanceOf(WebSocket)
    expect(relay.counters()).toMatchObject({ websocketFull: 1 })
    sockets[0]?.terminate()
    await vi.waitFor(() => expect(relay.stats().websockets).toBe(16))
    expect(await connect(relay, from('2001:db8::ffff'))).toBeInstanceOf(WebSocket)
  })

  test('counts connections that say nothing', async () => {
    const relay = await relayWith()
    await Promise.all(Array.from({ length: 16 }, () => connected(relay)))
    expect(await connect(relay)).toBe(0)
    expect(relay.counters()).toMatchObject({ websocketOpened: 16, websocketFull: 1 })
  })
})

describe('pages of other sites', () => {
  test('may connect only where the configuration names their site', async () => {
    const relay = await relayWith({ origins: ['https://example.org'] })
    expect(await connect(relay, { headers: { origin: 'https://example.org' } })).toBeInstanceOf(WebSocket)
    expect(await connect(relay, { headers: { origin: 'https://example.org.evil.example' } })).toBe(403)
    expect(await connect(relay, { headers: { origin: 'null' } })).toBe(403)
    expect(await connect(relay)).toBeInstanceOf(WebSocket)
    expect(relay.counters()).toMatchObject({ websocketOpened: 2, websocketOrigin: 2 })
    const anybody = await relayWith({ origins: ['*'] })
    expect(await connect(anybody, { headers: { origin: 'https://any.example' } })).toBeInstanceOf(WebSocket)
  })
})

describe('X-Forwarded-For', () => {
  test('of a trusted proxy names the source: the last address that is no proxy', async () => {
    const relay = await relayWith({ trustedProxies: ['127.0.0.1', '10.0.0.0/8'] })
    const forwarded = async (header: string) => {
      const socket = await connect(relay, { headers: { 'x-forwarded-for': header } })
      return typeof socket === 'number' ? socket : ((await mapped(socket)) as { ip: string }).ip
    }
    expect(await forwarded('198.51.100.7')).toBe('198.51.100.7')
    expect(await forwarded('192.0.2.1, 198.51.100.7, 10.1.2.3')).toBe('198.51.100.7')
    expect(await forwarded('198.51.100.7, unknown')).toBe(400)
    expect(await forwarded('10.1.2.3')).toBe(400)
    expect(await connect(relay)).toBe(400)
    expect(await forwarded(Array(17).fill('198.51.100.7').join(','))).toBe(400)
  })

  test('of anybody else means nothing', async () => {
    const relay = await relayWith({ trustedProxies: ['10.0.0.0/8'] })
    const socket = await connected(relay, { headers: { 'x-forwarded-for': '198.51.100.7' } })
    expect(await mapped(socket)).toMatchObject({ ip: '127.0.0.1' })
  })

  test.each(['example.org', '10.0.0.0/33', '10.0.0.0/8/8', '::/129', ''])('trusts no %s', async (proxy) => {
    await expect(relayWith({ trustedProxies: [proxy] })).rejects.toMatchObject({ code: 'ERR_BAD_CONFIG' })
  })
})

const shownBy = ({ websocketAddress }: Relay): Promise<unknown> => nameShownAt(websocketAddress?.port ?? 0)

describe('a certificate', () => {
  test('is renewed while the relay runs', async () => {
    const relay = await relayWith({ tls: certificate('first') })
    expect(await shownBy(relay)).toBe('first.test')
    relay.reload({ tls: certificate('second') })
    expect(await shownBy(relay)).toBe('second.test')
    relay.reload({})
    expect(await shownBy(relay)).toBe('second.test')
  })

  test('that does not fit its key changes nothing, nor does one where there was none', async () => {
    const relay = await relayWith({ tls: certificate('first') })
    const mixed = { ...certificate('first'), cert: certificate('second').cert }
    expect(() => relay.reload({ tls: mixed })).toThrow('do not fit')
    expect(await shownBy(relay)).toBe('first.test')
    const plain = await relayWith()
    expect(() => plain.reload({ tls: certificate('first') })).toThrow('has no certificate')
  })
})

test('a certificate that is none is refused, and nothing stays open', async () => {
  const tls = { cert: 'none', key: 'none' }
  await expect(relayWith({ tls })).rejects.toMatchObject({ code: 'ERR_BAD_CONFIG' })
  const relay = await relayWith()
  const { port } = relay.websocketAddress as { port: number }
  const again = relayWith({ listen: { host: '127.0.0.1', port } })
  await expect(again).rejects.toMatchObject({ code: 'ERR_ADDRESS_IN_USE' })
})
