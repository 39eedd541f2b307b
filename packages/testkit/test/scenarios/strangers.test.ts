/** docs/protocol.md, Addresses: a peer answers a stranger at once, and the ledger sees that it sends little. */
import { nodeEndToEnd } from '@showchain/crypto'
import { OP, RECORD_BYTE } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { type SimPeer, StreamChecker, StreamWriter } from '../../src/index.ts'
import { connect } from './connecting.ts'
import { Lab, LINES } from './lab.ts'

const SEEDS = 20
const BYTES = 50_000
const protectedPeer = { endToEnd: nodeEndToEnd() }

/** Alice dials bob by his address alone, and each sends the other a stream. */
function exchange(lab: Lab, alice: SimPeer, bob: SimPeer): void {
  const checkers = [new StreamChecker(alice), new StreamChecker(bob)]
  const { ours, theirs } = connect(lab, alice, bob, 'direct')
  new StreamWriter(bob, theirs.id).open(BYTES)
  new StreamWriter(alice, ours.id).open(BYTES)
  lab.until(() => checkers.every(({ bytes }) => bytes === BYTES))
  expect(checkers.map(({ wrong }) => wrong)).toEqual([0, 0])
}

function pair(lab: Lab): readonly [SimPeer, SimPeer] {
  const bob = lab.peer('bob', '93.4.0.1', protectedPeer)
  // A request as old as bob himself might be older.
  lab.advance(10)
  return [lab.peer('alice', '81.2.0.1', protectedPeer), bob]
}

describe.each(LINES)('a stranger over %s', (name, conditions) => {
  test('is answered without a challenge, and both send what they have', async () => {
    for (let seed = 0; seed < SEEDS; seed++)
      await Lab.run(seed, conditions, (lab) => {
        exchange(lab, ...pair(lab))
        // On a bad line a dial that is repeated may come when the first has been answered.
        if (!name.includes('loss')) expect(lab.sightings(OP.challenge)).toEqual([])
      })
  })
})

test.each(LINES)('two strangers who dial each other at once, over %s, have one connection', (_name, conditions) =>
  Lab.run('both', conditions, (lab) => {
    const [alice, bob] = pair(lab)
    const checkers = [new StreamChecker(alice), new StreamChecker(bob)]
    lab.advance(10)
    const dials = [
      alice.dial(bob.id, 'direct', { addresses: [bob.endpoint] }),
      bob.dial(alice.id, 'direct', { addresses: [alice.endpoint] }),
    ]
    lab.until(() => dials.some(({ link }) => link !== undefined) && alice.open.length === 1 && bob.open.length === 1)
    lab.advance(30_000)
    expect([alice.open.length, bob.open.length]).toEqual([1, 1])
    for (const peer of [alice, bob]) new StreamWriter(peer, peer.open[0]?.id as number).open(BYTES)
    lab.until(() => checkers.every(({ bytes }) => bytes === BYTES))
  }),
)

test.each([1, 2, 3, 4])(
  'a stranger whose first %i records are lost proves its address when it is asked: data flows both ways',
  (lost) =>
    Lab.run(`proof ${lost}`, {}, (lab) => {
      const [alice, bob] = pair(lab)
      let left = lost
      lab.sim.network.filter = ({ source, bytes }) =>
        !(source.ip === alice.endpoint.ip && bytes[0] === RECORD_BYTE && left-- > 0)
      exchange(lab, alice, bob)
      expect(left).toBeLessThan(0)
    }),
)

test('a stranger whose answers never arrive gets no more than it sent: the ledger holds', () =>
  Lab.run('silence', {}, (lab) => {
    const [alice, bob] = pair(lab)
    lab.sim.network.filter = ({ source }) => source.ip !== bob.endpoint.ip
    const dialled = alice.dial(bob.id, 'direct', { addresses: [bob.endpoint] })
    lab.until(() => dialled.ended !== undefined)
    lab.advance(120_000)
    expect(dialled.link).toBeUndefined()
    expect(bob.open).toEqual([])
    // Each repetition of the 0x101 has its answer, and nothing else goes there.
    const fromBob = lab.sightings().filter(({ from }) => from === 'bob')
    expect(fromBob.map(({ message }) => message.op_code)).toEqual(Array.from({ length: 5 }, () => OP.directResponse))
  }))
