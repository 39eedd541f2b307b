/**
 * The seed's five sections between three real processes on loopback, on good lines and on bad ones.
 * A message that was lost five times is sent again by the test's own transfer; nothing else is
 * tried twice. Each test has processes of its own, and most of its time it waits.
 */
import { duration } from '@showchain/client/core'
import { generateIdentity, type Identity, publicKeyToPem } from '@showchain/crypto'
import { OP } from '@showchain/wire'
import { needsIpv6 } from '@showchain-tooling/vitest/needs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Actor } from './actor.ts'

const KEEP_ALIVE = 300
const FILE_BYTES = 96 * 1024

let identities: readonly Identity[]
const actors: Actor[] = []
beforeAll(async () => {
  identities = await Promise.all([1, 2, 3].map(() => generateIdentity()))
})
afterAll(async () => {
  await Promise.all(actors.splice(0).map((actor) => actor.kill()))
})

const actor = (script: string): Actor => {
  const made = new Actor(script)
  actors.push(made)
  return made
}
const pem = (index: number): string => (identities[index] as Identity).toPem()
const publicPem = (index: number): string => publicKeyToPem((identities[index] as Identity).publicKey)

async function startRelay(
  host: string,
  port = 0,
  knownKeys: readonly string[] = [],
): Promise<{ readonly actor: Actor; readonly ticket: string; readonly port: number }> {
  const relay = actor('relay.mjs')
  relay.tell({ identity: pem(0), host, port, knownKeys })
  const opened = await relay.next('opened')
  return { actor: relay, ticket: opened.ticket as string, port: opened.port as number }
}

async function startPeer(
  index: number,
  options: Readonly<Record<string, unknown>>,
): Promise<{ readonly actor: Actor; readonly ticket: string }> {
  const peer = actor('peer.mjs')
  peer.tell({ type: 'open', identity: pem(index), keepAlive: KEEP_ALIVE, seed: index, ...options })
  return { actor: peer, ticket: (await peer.next('opened')).ticket as string }
}

async function connect(from: Actor, to: Actor, ticket: string, via: string): Promise<void> {
  from.tell({ type: 'connect', ticket, via })
  await from.next('connected')
  await to.next('incoming')
}
async function hangUp(...peers: readonly Actor[]): Promise<void> {
  for (const peer of peers) {
    peer.tell({ type: 'hangUp' })
    await peer.next('hungUp')
  }
}
async function transfer(from: Actor, to: Actor): Promise<void> {
  from.tell({ type: 'send', size: FILE_BYTES })
  const [sent, received] = [await from.next('sent'), await to.next('received')]
  expect(received.sha256).toBe(sent.sha256)
}
const withoutAddresses = (ticket: string): string => ticket.replace(/&addr=[^&]*/g, '')

const LINES = [
  ['good lines', {}],
  ['10 % loss', { loss: 0.1 }],
  ['reordering and duplication', { reorder: 0.2, duplicate: 0.2, jitter: duration(5) }],
] as const

describe.concurrent.each([
  ['IPv4', '127.0.0.1', {}],
  ['IPv6', '::1', needsIpv6],
] as const)('over %s', (_family, host, needed) => {
  test.each(LINES)('all five sections, %s', needed, async (_line, faults) => {
    const relay = await startRelay(host)
    const options = { relay: relay.ticket, host, faults }
    const bob = await startPeer(2, options)
    const alice = await startPeer(1, options)

    // 2: registration, with the challenge; 1: keep-alive both ways.
    for (const peer of [alice.actor, bob.actor]) {
      expect(peer.ops('received')).toEqual(expect.arrayContaining([OP.challenge, OP.directResponse]))
      await peer.next('trace', ({ direction, op }) => direction === 'received' && op === OP.keepAlive)
      expect(peer.ops('sent')).toContain(OP.keepAlive)
    }
    // 2: direct connect to a peer.
    await connect(alice.actor, bob.actor, bob.ticket, 'direct')
    await hangUp(alice.actor, bob.actor)

    // 3: through NAT, with the same address, and the path check both ways.
    await connect(alice.actor, bob.actor, withoutAddresses(bob.ticket), 'punch')
    expect(alice.actor.ops('sent')).toEqual(expect.arrayContaining([OP.punchRequest, OP.directRequest]))
    expect(alice.actor.ops('received')).toEqual(expect.arrayContaining([OP.punchPassAck, OP.directResponse]))
    expect(bob.actor.ops('received')).toContain(OP.punchPassRequest)
    expect(bob.actor.ops('sent')).toEqual(expect.arrayContaining([OP.punchAck, OP.directRequest]))
    await hangUp(alice.actor, bob.actor)

    // 4: proxy connect; 5: proxied data, acknowledged, both ways.
    await connect(alice.actor, bob.actor, withoutAddresses(bob.ticket), 'relay-only')
    expect(alice.actor.ops('received')).toContain(OP.proxyResponse)
    await transfer(alice.actor, bob.actor)
    await transfer(bob.actor, alice.actor)
    for (const peer of [alice.actor, bob.actor])
      expect(peer.ops('received')).toEqual(expect.arrayContaining([OP.proxyPassData, OP.proxyDataAck]))
  })
})

describe.concurrent('a peer that speaks only the seed', () => {
  test.each([
    ['binary', true, 'binary', true],
    ['json', true, 'json', true],
    ['json', true, 'binary', false],
    ['binary', false, 'json', true],
  ] as const)(
    '%s (seed mode %s) to %s (seed mode %s): registers, connects through NAT, exchanges proxied data',
    async (ours, ourSeed, theirs, theirSeed) => {
      const host = '127.0.0.1'
      const knownKeys = [0, 1, 2].map(publicPem)
      const relay = await startRelay(host, 0, knownKeys)
      const options = { relay: relay.ticket, host, faults: {}, knownKeys }
      const bob = await startPeer(2, { ...options, encoding: theirs, seedMode: theirSeed })
      const alice = await startPeer(1, { ...options, encoding: ours, seedMode: ourSeed })
      await connect(alice.actor, bob.actor, withoutAddresses(bob.ticket), 'punch')
      await hangUp(alice.actor, bob.actor)
      await connect(alice.actor, bob.actor, withoutAddresses(bob.ticket), 'relay-only')
      await transfer(alice.actor, bob.actor)
      await transfer(bob.actor, alice.actor)
      for (const [peer, seedOnly] of [
        [alice.actor, ourSeed],
        [bob.actor, theirSeed],
      ] as const) {
        const sentExtensions = peer.reports.some(
          ({ type, direction, extended }) => type === 'trace' && direction === 'sent' && extended === true,
        )
        expect(sentExtensions).toBe(!seedOnly)
      }
    },
  )
})

test.concurrent('a relay that is killed and comes back: both peers register again, and data flows again', async () => {
  const host = '127.0.0.1'
  const relay = await startRelay(host)
  const options = { relay: relay.ticket, host, faults: {} }
  const bob = await startPeer(2, options)
  const alice = await startPeer(1, options)
  await connect(alice.actor, bob.actor, withoutAddresses(bob.ticket), 'relay-only')
  await transfer(alice.actor, bob.actor)
  for (const peer of [alice.actor, bob.actor]) await peer.next('registered')
  await relay.actor.kill()
  for (const peer of [alice.actor, bob.actor]) await peer.next('lost')
  await startRelay(host, relay.port)
  for (const peer of [alice.actor, bob.actor]) await peer.next('registered')
  await transfer(alice.actor, bob.actor)
  await transfer(bob.actor, alice.actor)
})
