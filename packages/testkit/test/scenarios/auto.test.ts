import { duration } from '@showchain/client/core'
import { OP } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { connect } from './connecting.ts'
import { expectExactlyOnce, flow, isOver } from './exchange.ts'
import { Lab, LINES, SEEDS } from './lab.ts'

const MESSAGES = 50
const MANY = 2000

describe('auto: opens through the relay and moves to a direct path underneath', () => {
  /** Sends as soon as there is a connection, over the move and beyond it. */
  function move(lab: Lab, wanted: number): number {
    const { relay, alice, bob } = lab.pair()
    const { ours, theirs } = connect(lab, alice, bob, 'auto', relay)
    const how = { wanted, pause: duration(7) }
    const flows = [flow(lab, alice, bob, () => ours.id, how), flow(lab, bob, alice, () => theirs.id, how)]
    lab.until(() => flows.every(isOver) && [ours, theirs].every(({ path }) => path.kind === 'direct'))
    for (const peer of [alice, bob]) expect(peer.open).toHaveLength(1)
    return flows.reduce((failed, each) => failed + expectExactlyOnce(each), 0)
  }

  describe.each(SEEDS)('with %i seeds', (seeds, options) => {
    test.each(LINES)('over %s nothing is lost or doubled while it moves', options, async (name, conditions) => {
      for (let seed = 0; seed < seeds; seed++) {
        await Lab.run(seed, conditions, (lab) => {
          const failed = move(lab, MESSAGES)
          if (!name.includes('loss')) expect(failed).toBe(0)
        })
      }
    })
  })

  test.each(LINES)(`over %s ${MANY} messages each way arrive exactly once`, async (name, conditions) => {
    await Lab.run('many', conditions, (lab) => {
      const failed = move(lab, MANY)
      if (!name.includes('loss')) expect(failed).toBe(0)
    })
  })

  test('both paths carry messages: the relay first, the direct path from the move on', async () => {
    await Lab.run('both paths', {}, (lab) => {
      // The path between the two is slow, so that the relay has a head start.
      const { relay, alice, bob } = lab.pair()
      lab.sim.network.between(alice.host, bob.host, { latency: duration(400) })
      const { ours, theirs } = connect(lab, alice, bob, 'auto', relay)
      expect([ours.path.kind, theirs.path.kind]).toEqual(['relay', 'relay'])
      const how = { wanted: 300, pause: duration(10) }
      const flows = [flow(lab, alice, bob, () => ours.id, how), flow(lab, bob, alice, () => theirs.id, how)]
      lab.until(() => flows.every(isOver))
      for (const each of flows) expect(expectExactlyOnce(each)).toBe(0)
      expect(ours.paths.map(({ kind }) => kind)).toEqual(['relay', 'direct'])
      expect(theirs.paths.map(({ kind }) => kind)).toEqual(['relay', 'direct'])
      for (const name of ['alice', 'bob']) {
        const carried = lab
          .sightings(OP.proxyData)
          .filter(({ from, message }) => from === name && 'data' in message && message.data.length > 0)
        expect([...new Set(carried.map(({ to }) => to))]).toEqual(['relay', name === 'alice' ? 'bob' : 'alice'])
      }
    })
  })

  test('when the direct path dies, the connection falls back to the relay', async () => {
    await Lab.run('falls back', {}, (lab) => {
      const { relay, alice, bob } = lab.pair()
      const { ours, theirs } = connect(lab, alice, bob, 'auto', relay)
      lab.until(() => [ours, theirs].every(({ path }) => path.kind === 'direct'))
      lab.advance(1000)
      lab.sim.network.filter = ({ source, destination }) =>
        ![source, destination].every(({ ip }) => alice.host.ips.includes(ip) || bob.host.ips.includes(ip))
      lab.until(() => [ours, theirs].every(({ path }) => path.kind === 'relay'))
      const how = { wanted: 20, pause: duration(10) }
      const flows = [flow(lab, alice, bob, () => ours.id, how), flow(lab, bob, alice, () => theirs.id, how)]
      lab.until(() => flows.every(isOver))
      for (const each of flows) expect(expectExactlyOnce(each)).toBe(0)
    })
  })
})
