/** Real sockets, real keys: a relay that serves who has a permit, and peers with one in the ticket of that relay. */
import { readFileSync } from 'node:fs'
import { type Connection, Peer, type PeerOptions, type RelayEvent } from '@showchain/client'
import { generateIdentity, type Identity, identityFromPem } from '@showchain/crypto'
import { permitTicket, Relay } from '@showchain/server/runtime'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { streamOf, take, textOf } from './bed.ts'

interface Vectors {
  readonly identities: readonly { readonly name: string; readonly privateKey: string }[]
}
const { identities }: Vectors = JSON.parse(
  readFileSync(new URL('../../vectors/identities.json', import.meta.url), 'utf8'),
)
const [alice, bob] = ['4096', '3072'].map((bits) =>
  identityFromPem(identities.find(({ name }) => name === `requester-${bits}`)?.privateKey ?? ''),
) as [Identity, Identity]
let owner: Identity
beforeAll(async () => {
  owner = await generateIdentity()
})

const DAY = 86_400_000
const inADay = (): number => Date.now() + DAY

async function openRelay(identity = owner): Promise<Relay> {
  const relay = await Relay.open({ identity, permits: true, listen: [{ host: '127.0.0.1', port: 0 }] })
  onTestFinished(() => relay.close())
  return relay
}

async function openPeer(identity: Identity, ticket: string, options: Partial<PeerOptions> = {}): Promise<Peer> {
  const listen = [{ host: '127.0.0.1' }]
  const peer = await Peer.open({ identity, relays: [ticket], listen, addressPolicy: 'lab', ...options })
  onTestFinished(() => peer.close())
  return peer
}

/** Alice's connection to Bob, and the same one at Bob's end. */
async function connected(one: Peer, other: Peer): Promise<readonly [Connection, Connection]> {
  const connection = await one.connect(other.ticket, { via: 'relay-only' })
  return [connection, await take(other.incoming)]
}

describe('a permit', () => {
  test('lets keys of each size in, and stays out of the tickets that peers give away', async () => {
    const relay = await openRelay()
    const [one, two] = [
      await openPeer(alice, permitTicket(owner, relay.ticket, { id: alice.id, untilMs: inADay() })),
      await openPeer(bob, permitTicket(owner, relay.ticket, { untilMs: inADay() })),
    ]
    await Promise.all([one.registered(), two.registered()])
    for (const peer of [one, two]) expect(peer.ticket).toMatch(/^(?!.*permit).*relay=/)
    const [, theirs] = await streamOf(await connected(one, two))
    expect(textOf(await theirs.read())).toBe('first')
  })

  test('is shown in JSON as well', async () => {
    const relay = await openRelay()
    const identity = await generateIdentity()
    const terms = { id: identity.id, untilMs: inADay(), bytes: 1e9 }
    const peer = await openPeer(identity, permitTicket(owner, relay.ticket, terms), { encoding: 'json' })
    await peer.registered()
    expect(relay.counters().registered).toBe(1)
  })

  test.each([
    ['there is none', /serves who has a permit/, (ticket: string) => ticket],
    [
      'it is for another id',
      /is for another id/,
      (ticket: string) => permitTicket(owner, ticket, { id: bob.id, untilMs: inADay() }),
    ],
    ['it is over', /has run out/, (ticket: string) => permitTicket(owner, ticket, { untilMs: Date.now() - DAY })],
    ['it is damaged', /none that it knows/, (ticket: string) => `${ticket}&permit=${'A'.repeat(60)}`],
  ])('is missed in words when %s', async (_, words, ticketOf) => {
    const relay = await openRelay()
    const peer = await openPeer(alice, ticketOf(relay.ticket))
    await expect(peer.registered()).rejects.toThrow(words)
  })

  test('of another relay, or of a peer, makes no ticket of this one', async () => {
    const relay = await openRelay()
    expect(() => permitTicket(bob, relay.ticket, { untilMs: inADay() })).toThrow(/It is that of/)
    const peer = `showchain:${owner.id}?relay=${bob.id}@192.0.2.1:4400`
    expect(() => permitTicket(owner, peer, { untilMs: inADay() })).toThrow(/that of a peer/)
  })

  test('whose bytes are used up is said so, then and when the peer comes again', async () => {
    const relay = await openRelay()
    const open = permitTicket(owner, relay.ticket, { untilMs: inADay() })
    const two = await openPeer(bob, open)
    const ticket = permitTicket(owner, relay.ticket, { id: alice.id, untilMs: inADay(), bytes: 100_000 })
    const one = await openPeer(alice, ticket)
    await Promise.all([one.registered(), two.registered()])
    const limited = new Promise<RelayEvent>((resolve) => {
      one.on('relay', (event) => event.state === 'limited' && resolve(event))
    })
    const [stream] = await streamOf(await connected(one, two))
    stream.write(new Uint8Array(400_000)).catch(() => {})
    expect((await limited).reason).toMatch(/bytes of the permit .* are used up/)
    await one.close()
    await expect((await openPeer(alice, ticket)).registered()).rejects.toThrow(/bytes of the permit .* are used up/)
  })
})
