/** Relays of a fleet on real sockets, joined by a bus in this process. */
import { openUdp } from '@showchain/client/runtime'
import { generateIdentity, type Identity, messagePreimage, openssl } from '@showchain/crypto'
import { type FleetBus, LocalBus, Relay, type RelayEvent } from '@showchain/server/runtime'
import { decode, type Endpoint, encode, type Message, OP, type Unsigned } from '@showchain/wire'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'

const SECRET = new Uint8Array(32).fill(0x5e)
let fleetIdentity: Identity
let peerIdentity: Identity
beforeAll(async () => {
  ;[fleetIdentity, peerIdentity] = await Promise.all([generateIdentity(), generateIdentity()])
})

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

async function openNode(bus: FleetBus, node: number, onEvent: (event: RelayEvent) => void = () => {}): Promise<Relay> {
  const relay = await Relay.open({
    identity: fleetIdentity,
    listen: [{ host: '127.0.0.1', port: 0 }],
    fleet: { node, secret: SECRET, bus },
    onEvent,
  })
  open.push(relay)
  return relay
}

/** Registers by the book from a socket of its own; resolves when it is bound. */
async function register(relay: Relay): Promise<void> {
  const socket = await openUdp({ listen: [{ host: '127.0.0.1', port: 0 }] })
  open.push(socket)
  const [at] = relay.addresses as [Endpoint]
  let seq = Date.now()
  const ask = async (cookie?: Uint8Array): Promise<void> => {
    const ext = { key: peerIdentity.publicKey.spki, ...(cookie && { cookie }) }
    const unsigned = {
      op_code: OP.directRequest,
      id: peerIdentity.id,
      target: relay.id,
      seq: seq++,
      ts: Date.now(),
      ext,
    }
    const sign = await peerIdentity.sign(messagePreimage(openssl, unsigned as Unsigned))
    socket.send(at, encode({ ...unsigned, sign } as Message, 'binary'))
  }
  await new Promise<void>((resolve) => {
    socket.onDatagrams((datagrams) => {
      for (const { bytes } of datagrams) {
        const decoded = decode(bytes)
        if (!decoded.ok) continue
        if (decoded.message.op_code === OP.challenge) void ask(decoded.message.cookie)
        if (decoded.message.op_code === OP.directResponse) resolve()
      }
    })
    void ask()
  })
}

describe('two relays on one bus', () => {
  test('know each other, and a peer is bound where it registered last', async () => {
    const bus = new LocalBus()
    let moved: () => void = () => {}
    const movedAway = new Promise<void>((resolve) => (moved = resolve))
    const first = await openNode(bus.join(1), 1, (event) => {
      if (event.type === 'unbound' && event.why === 'elsewhere') moved()
    })
    const second = await openNode(bus.join(2), 2)
    await register(first)
    expect(first.stats().bindings).toBe(1)
    expect(first.fleetNodes.map(({ node }) => node)).toEqual([2])
    expect(second.fleetNodes).toMatchObject([{ node: 1, addresses: first.addresses }])
    await register(second)
    await movedAway
    expect([first.stats().bindings, second.stats().bindings]).toEqual([0, 1])
    await second.close()
    expect(first.counters().fleetRefused).toBe(0)
  })

  test('count what the bus does not take, and go on alone', async () => {
    let closed = 0
    const bus: FleetBus = { publish: () => false, subscribe: () => {}, close: async () => void closed++ }
    const relay = await openNode(bus, 1)
    await register(relay)
    expect(relay.stats().bindings).toBe(1)
    expect(relay.counters().fleetLost).toBeGreaterThan(0)
    await relay.close()
    expect(closed).toBe(1)
  })

  test.each([
    ['a number that is none', { node: 65_535, secret: SECRET }],
    ['a secret that is too short', { node: 1, secret: SECRET.subarray(1) }],
  ])('are not opened with %s', async (_what, membership) => {
    let closed = 0
    const bus: FleetBus = { publish: () => false, subscribe: () => {}, close: async () => void closed++ }
    const opened = Relay.open({ identity: fleetIdentity, fleet: { ...membership, bus } })
    await expect(opened).rejects.toMatchObject({ code: 'ERR_BAD_CONFIG' })
    expect(closed).toBe(1)
  })
})
