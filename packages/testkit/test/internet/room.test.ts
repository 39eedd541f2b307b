/** An introduction of strangers with large keys, which have addresses of both families to tell. */
import { duration } from '@showchain/client/core'
import { type KeyBits, nodeEndToEnd } from '@showchain/crypto'
import { describe, expect, test } from 'vitest'
import { Internet, nat } from '../../src/index.ts'

const SIZES: readonly KeyBits[] = [2048, 3072, 4096]

describe('two strangers with addresses of both families', () => {
  test.each(SIZES)('of RSA-%i are introduced by the first request: its receiver needs the key', async (bits) => {
    await Internet.run(`room ${bits}`, { latency: duration(10) }, async (internet) => {
      const relay = await internet.relay({ ips: ['5.9.0.1', '2a01:4f9::1'], stun: 'plain' })
      const [alice, bob] = await Promise.all(
        ['alice', 'bob'].map((name) =>
          internet.simPeer({
            name,
            behind: internet.router({ nat: nat.T3(), ipv6: true }),
            endToEnd: nodeEndToEnd(),
            identity: internet.sim.provider.identity(name, bits),
          }),
        ),
      )
      if (alice === undefined || bob === undefined) throw new Error('There are two.')
      const begun = internet.sim.clock.now()
      alice.dial(bob.id, 'auto', { relays: [relay] })
      internet.until(() => alice.open[0]?.path.kind === 'direct')
      // One that nobody answers is followed by another after a second.
      expect(internet.sim.clock.now() - begun).toBeLessThan(500)
    })
  })
})
