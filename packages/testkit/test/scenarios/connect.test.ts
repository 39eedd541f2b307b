import { duration } from '@showchain/client/core'
import { OP } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import type { SimPeer, SimRelay } from '../../src/index.ts'
import { connect } from './connecting.ts'
import { expectExactlyOnce, flow, isOver } from './exchange.ts'
import { Lab, LINES, SEEDS } from './lab.ts'

const MESSAGES = 20

interface Way {
  readonly via: 'direct' | 'punch' | 'relay-only'
  /** Op codes that each node must have sent. */
  readonly ops: {
    readonly alice: readonly number[]
    readonly bob: readonly number[]
    readonly relay: readonly number[]
  }
}

const WAYS: readonly Way[] = [
  {
    via: 'direct',
    ops: {
      alice: [OP.directRequest, OP.proxyData],
      bob: [OP.challenge, OP.directResponse, OP.proxyDataAck],
      relay: [],
    },
  },
  {
    via: 'punch',
    ops: {
      alice: [OP.punchRequest, OP.keepAlive, OP.directRequest, OP.directResponse],
      bob: [OP.punchAck, OP.keepAlive, OP.directRequest, OP.directResponse],
      relay: [OP.punchPassRequest, OP.punchPassAck],
    },
  },
  {
    via: 'relay-only',
    ops: {
      alice: [OP.proxyRequest, OP.proxyData, OP.proxyDataAck],
      bob: [OP.proxyData, OP.proxyDataAck],
      relay: [OP.proxyResponse, OP.proxyPassData, OP.proxyDataAck],
    },
  },
]

function exchange(lab: Lab, alice: SimPeer, bob: SimPeer, way: Way['via'], relay: SimRelay): number {
  const { ours, theirs } = connect(lab, alice, bob, way, relay)
  expect(ours.path.kind).toBe(way === 'relay-only' ? 'relay' : 'direct')
  expect(theirs.incoming).toBe(true)
  const how = { wanted: MESSAGES, pause: duration(20) }
  const flows = [flow(lab, alice, bob, () => ours.id, how), flow(lab, bob, alice, () => theirs.id, how)]
  lab.until(() => flows.every(isOver))
  return flows.reduce((failed, each) => failed + expectExactlyOnce(each), 0)
}

const ways = WAYS.flatMap((way) => SEEDS.map(([seeds, options]) => ({ ...way, seeds, options })))

describe.each(ways)('connecting by $via, with $seeds seeds', ({ via, ops, seeds, options }) => {
  test.each(LINES)('over %s: messages both ways arrive exactly once', options, async (name, conditions) => {
    for (let seed = 0; seed < seeds; seed++) {
      await Lab.run(seed, conditions, (lab) => {
        const { relay, alice, bob } = lab.pair()
        const failed = exchange(lab, alice, bob, via, relay)
        if (!name.includes('loss')) expect(failed).toBe(0)
        expect(lab.opsFrom('alice')).toEqual(expect.arrayContaining([...ops.alice]))
        expect(lab.opsFrom('bob')).toEqual(expect.arrayContaining([...ops.bob]))
        expect(lab.opsFrom('relay')).toEqual(expect.arrayContaining([...ops.relay]))
        for (const peer of [alice, bob]) expect(peer.open).toHaveLength(1)
      })
    }
  })
})

describe.each(SEEDS)('two peers behind one public address, with %i seeds', (seeds, options) => {
  test.each(LINES)('over %s: the relay says so, and a host candidate will do', options, async (name, conditions) => {
    for (let seed = 0; seed < seeds; seed++) {
      await Lab.run(seed, conditions, (lab) => {
        const relay = lab.relay()
        // One host for both: what stands behind one address without a NAT in between.
        const host = lab.sim.host('home', '81.2.0.1', '192.168.0.2')
        const alice = lab.peer('alice', host, { local: ['192.168.0.2'] })
        const bob = lab.peer('bob', host, { local: ['192.168.0.2'] })
        lab.registered(relay, alice, bob)
        const { ours } = connect(lab, alice, bob, 'punch', relay)
        const sameAddress = lab.sightings(OP.sameAddressResponse)
        if (!name.includes('loss')) expect(sameAddress).not.toEqual([])
        for (const { from, message } of sameAddress) {
          expect(from).toBe('relay')
          expect(message).toMatchObject({ id: relay.identity.id, target: bob.id })
        }
        expect(ours.path).toMatchObject({ kind: 'direct', remote: { port: bob.endpoint.port } })
        const probed = lab.sightings(OP.keepAlive).map(({ destination }) => destination.ip)
        expect(probed).toContain('192.168.0.2')
      })
    }
  })
})

describe('two peers behind one public address', () => {
  test('host candidates go nowhere else: peers at different addresses never see them', async () => {
    await Lab.run('apart', {}, (lab) => {
      const { relay, alice, bob } = lab.pair({
        alice: { local: ['192.168.0.2'] },
        bob: { local: ['192.168.0.3'] },
      })
      connect(lab, alice, bob, 'punch', relay)
      for (const { message, to } of lab.sightings(OP.punchPassRequest, OP.punchPassAck))
        expect(message.ext?.local, `0x${message.op_code.toString(16)} to ${to}`).toBeUndefined()
      expect(lab.sightings(OP.sameAddressResponse)).toEqual([])
      expect(lab.sightings().filter(({ destination }) => destination.ip.startsWith('192.168.'))).toEqual([])
    })
  })
})
