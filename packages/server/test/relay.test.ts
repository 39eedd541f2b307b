import { openUdp } from '@showchain/client/runtime'
import { generateIdentity, type Identity, messagePreimage, openssl, verifyMessage } from '@showchain/crypto'
import { Relay, type RelayEvent, type RelayOpenOptions } from '@showchain/server/runtime'
import {
  decode,
  type Endpoint,
  encode,
  type Message,
  type MessageOf,
  OP,
  parseTicket,
  type Unsigned,
} from '@showchain/wire'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'

let relayIdentity: Identity
let peerIdentity: Identity
beforeAll(async () => {
  ;[relayIdentity, peerIdentity] = await Promise.all([generateIdentity(), generateIdentity()])
})

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

async function openRelay(options: Partial<RelayOpenOptions> = {}): Promise<Relay> {
  const relay = await Relay.open({ identity: relayIdentity, listen: [{ host: '127.0.0.1', port: 0 }], ...options })
  open.push(relay)
  return relay
}

/** A socket that asks and gets one answer each time. */
/** @param answers op codes that are waited for. @default any */
async function openAsker(
  host: string,
  answers?: readonly number[],
): Promise<(to: Endpoint, message: Message) => Promise<Message>> {
  const socket = await openUdp({ listen: [{ host, port: 0 }] })
  open.push(socket)
  return (to, message) =>
    new Promise((resolve, reject) => {
      socket.onDatagrams((datagrams) => {
        for (const { bytes } of datagrams) {
          const decoded = decode(bytes)
          if (!decoded.ok) reject(new Error(decoded.refusal))
          else if (answers?.includes(decoded.message.op_code) !== false) resolve(decoded.message)
        }
      })
      socket.send(to, encode(message, 'binary'))
    })
}

let seq = 1
async function directRequest(target: Relay, cookie?: Uint8Array): Promise<Message> {
  const ext = cookie === undefined ? { key: peerIdentity.publicKey.spki } : { key: peerIdentity.publicKey.spki, cookie }
  const unsigned = {
    op_code: OP.directRequest,
    id: peerIdentity.id,
    target: target.id,
    seq: seq++,
    ts: Date.now(),
    ext,
  }
  const sign = await peerIdentity.sign(messagePreimage(openssl, unsigned as Unsigned))
  return { ...unsigned, sign } as Message
}

describe.each(['127.0.0.1', '::1'])('a relay on %s', (host) => {
  test('registers a peer over UDP with real signatures', async () => {
    const events: RelayEvent[] = []
    const relay = await openRelay({ listen: [{ host, port: 0 }], onEvent: (event) => void events.push(event) })
    const ask = await openAsker(host)
    const [at] = relay.addresses as [Endpoint]
    const challenge = (await ask(at, await directRequest(relay))) as MessageOf<typeof OP.challenge>
    expect(challenge.op_code).toBe(OP.challenge)
    const response = (await ask(at, await directRequest(relay, challenge.cookie))) as MessageOf<
      typeof OP.directResponse
    >
    expect(response).toMatchObject({ op_code: OP.directResponse, id: relay.id })
    expect(relay.sourceOf(peerIdentity.id)).toBe(host === '::1' ? '0:0:0:0:0:0:0:0/64' : host)
    expect(relay.sourceOf(relay.id)).toBeUndefined()
    expect(verifyMessage(openssl, relayIdentity.publicKey, response)).toBe(true)
    expect(response.ext?.key).toEqual(relayIdentity.publicKey.spki)
    expect(relay.stats().bindings).toBe(1)
    expect(events).toMatchObject([{ type: 'bound', id: peerIdentity.id }])
    expect(relay.counters()).toMatchObject({ received: 2, sent: 2, registered: 1, challenged: 1, sendFailed: 0 })
  })

  test('has a ticket with its address', async () => {
    const relay = await openRelay({ listen: [{ host, port: 0 }] })
    const [at] = relay.addresses as [Endpoint]
    expect(parseTicket(relay.ticket)).toEqual({ id: relay.id, relays: [], addresses: [{ host, port: at.port }] })
  })
})

test('the ticket names the public addresses when they are given', async () => {
  const relay = await openRelay({ publicAddresses: [{ host: 'relay.example.net', port: 4433 }] })
  expect(relay.ticket).toBe(`showchain:${relay.id}?addr=relay.example.net:4433`)
})

test('a trace shows every datagram with the message in it', async () => {
  const seen: string[] = []
  const trace: RelayOpenOptions['trace'] = ({ direction, message }) =>
    void seen.push(`${direction} ${message?.op_code}`)
  const relay = await openRelay({ trace })
  const ask = await openAsker('127.0.0.1')
  await ask(relay.addresses[0] as Endpoint, { op_code: OP.keepAlive, id: peerIdentity.id, seq: 0, ts: 0 })
  expect(seen).toEqual([`received ${OP.keepAlive}`, `sent ${OP.error}`])
})

test('a bad limit is refused by name, before a socket is opened', async () => {
  const limits = { bindings: 0 }
  await expect(openRelay({ limits })).rejects.toMatchObject({
    code: 'ERR_BAD_CONFIG',
    message: expect.stringContaining('bindings'),
  })
  await expect(openRelay({ limits: { nonsense: 1 } as never })).rejects.toMatchObject({
    message: expect.stringContaining('nonsense'),
  })
})

test('an address in use is refused', async () => {
  const { port } = (await openRelay()).addresses[0] as Endpoint
  await expect(openRelay({ listen: [{ host: '127.0.0.1', port }] })).rejects.toMatchObject({
    code: 'ERR_ADDRESS_IN_USE',
  })
})

describe('a relay that drains', () => {
  test('finishes what is in work and closes', async () => {
    const relay = await openRelay()
    // The peer is told that the relay drains as well, before or after.
    const ask = await openAsker('127.0.0.1', [OP.challenge, OP.directResponse])
    const at = relay.addresses[0] as Endpoint
    const challenge = (await ask(at, await directRequest(relay))) as MessageOf<typeof OP.challenge>
    const answered = ask(at, await directRequest(relay, challenge.cookie))
    while (relay.stats().pendingWork === 0 && relay.counters().registered === 0) await new Promise(setImmediate)
    await relay.drain()
    expect((await answered).op_code).toBe(OP.directResponse)
  })

  /** A relay with one signature in work that is never made. */
  async function openStuck(): Promise<Relay> {
    const stuck = { ...relayIdentity, sign: () => new Promise<Uint8Array>(() => {}) }
    const relay = await openRelay({ identity: stuck })
    const ask = await openAsker('127.0.0.1')
    const at = relay.addresses[0] as Endpoint
    const challenge = (await ask(at, await directRequest(relay))) as MessageOf<typeof OP.challenge>
    void ask(at, await directRequest(relay, challenge.cookie))
    while (relay.counters().registered === 0) await new Promise(setImmediate)
    return relay
  }

  test('gives up on work that never ends', async () => {
    const relay = await openStuck()
    await relay.drain({ timeout: 1 })
    expect(relay.stats().pendingWork).toBe(1)
  })

  test('waits no longer when it is closed', async () => {
    const relay = await openStuck()
    const drained = relay.drain({ timeout: 1_000_000 })
    await relay.close()
    await drained
  })

  test('may be asked to more than once, and closed after it', async () => {
    const relay = await openRelay()
    await Promise.all([relay.drain(), relay.drain()])
    await relay.drain()
    await relay.close()
  })
})
