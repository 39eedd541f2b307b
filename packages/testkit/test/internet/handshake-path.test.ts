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
