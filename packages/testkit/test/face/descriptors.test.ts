import { Peer } from '@showchain/client'
import { duration } from '@showchain/client/core'
import type { DatagramSocket } from '@showchain/client/runtime'
import { expect, test } from 'vitest'
import { Internet, nat } from '../../src/index.ts'

/** Of 256 that birthday probing would open. */
const LEFT = 20

test('a peer that has no descriptors left probes with what it has, says so, and stays connected', () =>
  Internet.run('descriptors', { latency: duration(10) }, async (internet) => {
    const relay = await internet.relay()
    const bob = await internet.peer({ name: 'bob', behind: nat.T3() })
    const host = internet.host('alice', { behind: internet.router({ nat: nat.T4() }) })
    const runtime = internet.runtime(host)
    let opened = 0
    const dead: DatagramSocket = { localEndpoints: [], send: () => {}, onDatagrams: () => {}, close: async () => {} }
    const openExtraSocket = (failed: (why: string) => void): DatagramSocket => {
      if (opened++ < LEFT) return runtime.openExtraSocket(failed)
      return { ...dead, send: () => failed('EMFILE') }
    }
    const alice = await Peer.open({
      identity: internet.sim.identity('alice'),
      runtime: { ...runtime, openExtraSocket },
      relays: [relay.ticket],
    })
    await internet.wait(duration(30_000))
    const connection = await alice.connect(bob.ticket)
    await internet.wait(duration(60_000))
    const lines = connection.timeline.map(({ what }) => what).filter((what) => what.includes('birthday'))
    expect(lines[0]).toBe(`birthday probing goes on with ${LEFT} of 256 sockets: EMFILE`)
    expect([connection.end, connection.protected]).toEqual([undefined, true])
    await alice.close()
    expect(host.openSockets).toBe(0)
  }))
