import { duration, instant, PLAIN_PUNCH_AFTER } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import { LONGEST_REQUEST, TRIP } from './bounds.ts'
import { Lab } from './lab.ts'

type Target = 'absent' | 'refusing' | 'undecided' | 'gone'

/**
 * What alice sees of a dial: when it ended and how, and the time, kind and size of each packet that
 * she sent and got.
 */
async function dialled(via: 'punch' | 'relay-only', target: Target): Promise<unknown> {
  let seen: unknown
  await Lab.run('absence', {}, (lab) => {
    const relay = lab.relay()
    const alice = lab.peer('alice', '81.2.0.1')
    const bob = lab.sim.identity('bob')
    lab.registered(relay, alice)
    if (target !== 'absent') {
      const accept = (): boolean | undefined => (target === 'undecided' ? undefined : false)
      const peer = lab.peer('bob', '93.4.0.1', { accept })
      lab.registered(relay, peer)
      if (target === 'gone') peer.sleep(duration(60_000))
    }
    // Alice dials at the same moment in each world.
    lab.sim.clock.runUntil(instant(1000))
    const before = lab.sightings().length
    const dial = alice.dial(bob.id, via, { relays: [relay] })
    lab.until(() => dial.ended !== undefined)
    const packets = lab
      .sightings()
      .slice(before)
      .filter(({ from, to }) => from === 'alice' || to === 'alice')
      .map(({ at, from, to, message, bytes }) => ({ at, from, to, op: message.op_code, size: bytes.length }))
    seen = { ended: dial.ended, attempts: dial.attempts, packets }
    // One request that nobody answers: the second 0x111 of a punch, or the opening message behind
    // the 0x122.
    const head = via === 'punch' ? PLAIN_PUNCH_AFTER : TRIP
    expect((dial.ended as number) - dial.started).toBeLessThanOrEqual(head + LONGEST_REQUEST)
    expect(dial.attempts).toMatchObject([
      { via: via === 'punch' ? 'punch' : 'relay', state: 'failed', why: expect.stringMatching(/absent, or refuses/) },
    ])
  })
  return seen
}

describe('a target that refuses looks like one that is not there', () => {
  test.each(['punch', 'relay-only'] as const)(
    'by %s: the same messages at the same times, and the same words',
    async (via) => {
      const absent = await dialled(via, 'absent')
      for (const target of ['refusing', 'undecided', 'gone'] as const)
        expect(await dialled(via, target), target).toEqual(absent)
    },
  )

  test('direct: a stranger proves its address first, and then gets silence and the same words', async () => {
    const outcomes: unknown[] = []
    for (const there of [true, false]) {
      await Lab.run('direct absence', {}, (lab) => {
        const alice = lab.peer('alice', '81.2.0.1')
        const bob = lab.peer('bob', '93.4.0.1', { accept: () => false })
        if (!there) bob.host.moveTo('93.4.0.2')
        const dial = alice.dial(bob.id, 'direct', { addresses: [{ ip: '93.4.0.1', port: bob.endpoint.port }] })
        lab.until(() => dial.ended !== undefined)
        expect((dial.ended as number) - dial.started).toBeLessThanOrEqual(2 * LONGEST_REQUEST + TRIP)
        outcomes.push(dial.attempts)
      })
    }
    expect(outcomes[0]).toEqual(outcomes[1])
  })
})
