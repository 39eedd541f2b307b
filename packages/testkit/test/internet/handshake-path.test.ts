/** A handshake is answered by the session that it came by. */
import { duration } from '@showchain/client/core'
import { opensslEndToEnd } from '@showchain/crypto'
import { expect, test } from 'vitest'
import { Internet, type NatBehaviour, nat, type SimPeer } from '../../src/index.ts'

/** Milliseconds of virtual time that a dial takes. */
async function dial(internet: Internet, from: SimPeer, to: SimPeer): Promise<number> {
  const began = internet.sim.clock.now()
  await from.connect(to)
  return internet.sim.clock.now() - began
}

/** The first repetition of a handshake message comes no sooner (REPEAT_FIRST, less a fifth). */
const REPETITION = 320

test.each([
  ['public peers', undefined],
  ['peers behind T3', nat.T3],
])('%s that meet again are connected before a handshake message is sent twice', async (_who, behind) => {
  const place = (name: string): { name: string; behind?: NatBehaviour; endToEnd: typeof opensslEndToEnd } => ({
    name,
    endToEnd: opensslEndToEnd,
    ...(behind === undefined ? {} : { behind: behind() }),
  })
  await Internet.run('meets again', {}, async (internet) => {
    await internet.relay()
    const ends = [await internet.simPeer(place('one')), await internet.simPeer(place('two'))]
    // The smaller id begins the handshake: each of both has to be answered.
    for (const [from, to] of [ends, [...ends].reverse()] as [SimPeer, SimPeer][]) {
      await dial(internet, from, to)
      from.closeConnection(from.open[0]?.id as number)
      internet.advance(duration(3000))
      expect(await dial(internet, from, to)).toBeLessThan(REPETITION)
      from.closeConnection(from.open[0]?.id as number)
      internet.advance(duration(3000))
    }
  })
})

/** The larger id asks the smaller one after this time, when nothing came. */
const ASK_AFTER = 300

test.each([
  ['public peers', 'the same port', undefined],
  ['public peers', 'another port', undefined],
  ['peers behind T3', 'the same port', nat.T3],
  ['peers behind T4', 'another port', nat.T4],
])('of %s, at %s, one that crashed is connected at once when it comes back', async (who, port, behind) => {
  await Internet.run(`crashed ${who} ${port}`, {}, async (internet) => {
    await internet.relay()
    const endToEnd = opensslEndToEnd
    const place = behind === undefined ? {} : { behind: internet.router({ nat: behind() }) }
    const host = internet.host('caller', place)
    const callee = await internet.simPeer({ name: 'callee', endToEnd, ...(behind && { behind: behind() }) })
    const caller = await internet.simPeer({ name: 'caller', endToEnd, host, port: 5000 })
    await caller.connect(callee)
    internet.advance(duration(5000))
    await caller.crash()
    internet.advance(duration(1000))
    const { identity } = caller
    const own = port === 'the same port' ? 5000 : 5001
    const again = await internet.simPeer({ name: 'again', endToEnd, identity, host, port: own })
    expect(await dial(internet, again, callee)).toBeLessThan(ASK_AFTER + REPETITION)
  })
})
