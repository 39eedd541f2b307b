/** docs/protocol.md, Tokens and One flight: a dial at a relay that gave a token before, and the ledger. */
import { duration } from '@showchain/client/core'
import { nodeEndToEnd } from '@showchain/crypto'
import { OP } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import type { SimPeer, SimRelay } from '../../src/index.ts'
import { flow, isOver } from './exchange.ts'
import { Lab, LINES } from './lab.ts'

const SEEDS = 10
const HOUR = 3_600_000
const protectedPeer = { endToEnd: nodeEndToEnd() }

interface Scene {
  readonly relay: SimRelay
  readonly alice: SimPeer
  readonly bob: SimPeer
}

/** Bob is registered, and alice is not. */
function scene(lab: Lab, options = protectedPeer): Scene {
  const relay = lab.relay()
  const bob = lab.peer('bob', '93.4.0.1', options)
  lab.registered(relay, bob)
  return { relay, alice: lab.peer('alice', '81.2.0.1', options), bob }
}

/** Alice dials bob by the relay of his ticket alone, sends something, and hangs up. */
function call(lab: Lab, { relay, alice, bob }: Scene): void {
  const dial = () => alice.dial(bob.id, 'auto', { relays: [relay] })
  let dialled = dial()
  lab.until(() => {
    // As an application does on a bad line.
    if (dialled.ended !== undefined && dialled.link === undefined) dialled = dial()
    return dialled.link !== undefined
  })
  const link = dialled.link as number
  const sent = flow(lab, alice, bob, () => alice.open[0]?.id ?? link, { wanted: 5, pause: duration(20) })
  lab.until(() => isOver(sent))
  // In plaintext there is no goodbye.
  for (const peer of [alice, bob]) for (const { id } of peer.open) peer.closeConnection(id)
  lab.until(() => alice.open.length === 0 && bob.open.length === 0)
}

/** What alice asked the relay for since then: each message once. */
const asked = (lab: Lab, since: number) =>
  lab
    .sightings(OP.directRequest, OP.punchRequest)
    .filter(({ at, from, to }) => at >= since && from === 'alice' && to === 'relay')
const challenges = (lab: Lab, since: number) =>
  lab.sightings(OP.challenge).filter(({ at, to }) => at >= since && to === 'alice')

/** Alice calls, and an hour later again. @returns when */
function callTwice(lab: Lab, it: Scene, between: () => void = () => {}): number {
  call(lab, it)
  lab.advance(HOUR)
  between()
  const since = lab.sim.clock.now()
  call(lab, it)
  return since
}

describe.each(LINES)('a token over %s', (name, conditions) => {
  test('saves the challenge, and the ledger holds', async () => {
    for (let seed = 0; seed < SEEDS; seed++)
      await Lab.run(seed, conditions, (lab) => {
        const since = callTwice(lab, scene(lab))
        // On a bad line the first call may be over before the 0x102 has come that has the token.
        if (name.includes('loss')) return
        expect(asked(lab, since)[0]?.message.ext?.token).toBeDefined()
        expect(challenges(lab, since)).toEqual([])
      })
  })
})

test('a token that is good takes one flight: 0x101 and 0x111 leave together', () =>
  Lab.run('flight', {}, (lab) => {
    const since = callTwice(lab, scene(lab))
    const [registration, introduction] = asked(lab, since)
    expect([registration?.message.op_code, introduction?.message.op_code]).toEqual([OP.directRequest, OP.punchRequest])
    expect([registration?.at, introduction?.at]).toEqual([since, since])
    expect(registration?.bytes).toHaveLength(1200)
  }))

test('a token in plaintext does the same', () =>
  Lab.run('plaintext', {}, (lab) => {
    const since = callTwice(lab, scene(lab, {} as typeof protectedPeer))
    expect(challenges(lab, since).filter(({ from }) => from === 'relay')).toEqual([])
  }))

test('a token of a relay that has restarted costs a challenge, and both go again together', () =>
  Lab.run('restart', {}, (lab) => {
    const it = scene(lab)
    const since = callTwice(lab, it, () => {
      void it.relay.restart()
      lab.until(() => it.bob.relayStates.at(-1) === 'registered' && it.relay.bound.length > 1)
      lab.advance(60_000)
    })
    expect(challenges(lab, since)).toHaveLength(1)
    expect(asked(lab, since).map(({ message }) => message.op_code)).toEqual([
      ...[OP.directRequest, OP.punchRequest],
      ...[OP.directRequest, OP.punchRequest],
    ])
  }))

test('a token from another address costs a challenge', () =>
  Lab.run('moved', {}, (lab) => {
    const it = scene(lab)
    const since = callTwice(lab, it, () => it.alice.host.moveToNetwork(lab.sim.network, '81.2.0.2'))
    expect(challenges(lab, since)).toHaveLength(1)
  }))
