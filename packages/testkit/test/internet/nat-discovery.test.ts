/**
 * What a peer finds out of its NAT, by what its relays have to ask (RFC 5780 §4), and what it must
 * not claim.
 */
import { duration } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import {
  type Dependence,
  Internet,
  type NatBehaviour,
  nat,
  type SimPeer,
  type SimRelayOptions,
} from '../../src/index.ts'

const DEPENDENCES = ['endpoint-independent', 'address-dependent', 'address-and-port-dependent'] as const
/** The wire's numbers: 0 is unknown. */
const numberOf = (dependence: Dependence): 1 | 2 | 3 => (DEPENDENCES.indexOf(dependence) + 1) as 1 | 2 | 3
const PAIRS = DEPENDENCES.flatMap((mapping) => DEPENDENCES.map((filtering) => [mapping, filtering] as const))
const natOf = (mapping: Dependence, filtering: Dependence): NatBehaviour => nat.T4({ mapping, filtering })

type Stun = SimRelayOptions['stun']

async function found(
  behind: NatBehaviour | undefined,
  relays: readonly Stun[],
  seed: string,
  loss = 0,
): Promise<NonNullable<SimPeer['nat']>> {
  let report: SimPeer['nat']
  await Internet.run(seed, { loss }, async (internet) => {
    for (const stun of relays) await internet.relay({ stun })
    const peer = await internet.simPeer({ name: 'alice', behind })
    // The first relay that answers is asked at once; the second may tell more.
    internet.advance(duration(60_000))
    report = peer.nat
  })
  return report as NonNullable<SimPeer['nat']>
}

const typeOf = (mapping: number, filtering: number): string => (mapping > 1 ? 'T4' : `T${filtering}`)

describe.each(PAIRS)('mapping %s, filtering %s', (mapping, filtering) => {
  const [m, f] = [numberOf(mapping), numberOf(filtering)]
  const by = (...relays: readonly Stun[]) => found(natOf(mapping, filtering), relays, `${mapping} ${filtering}`)

  test('one relay with two addresses tells everything', async () => {
    const expected = { mapping: m, filtering: f, type: typeOf(m, f), natted: true, notes: [] }
    expect(await by('two addresses')).toMatchObject(expected)
  })

  test('two relays with two ports each tell the mapping, and that the filter is not known', async () => {
    const report = await by('two ports', 'two ports')
    expect(report).toMatchObject({ mapping: m, filtering: 0, type: m > 1 ? 'T4' : undefined })
    expect(report.notes).toEqual([expect.stringContaining('filter')])
  })

  test('two relays with one port each tell whether the mapping depends, not on what', async () => {
    const report = await by('plain', 'plain')
    expect(report).toMatchObject({ mapping: m === 1 ? 1 : 2, filtering: 0 })
    expect(report.notes).toHaveLength(m === 1 ? 1 : 2)
  })

  test('one relay with two ports tells a mapping by port, and nothing else', async () => {
    const report = await by('two ports')
    expect(report).toMatchObject({ mapping: m === 3 ? 3 : 0, filtering: 0 })
  })

  test('one relay with one port tells the address alone', async () => {
    const report = await by('plain')
    expect(report).toMatchObject({ mapping: 0, filtering: 0, type: undefined, natted: true })
    expect(report.notes).toHaveLength(2)
  })

  test('with losses it never claims more than is open, and never another mapping', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const report = await found(natOf(mapping, filtering), ['two addresses'], `${mapping} ${filtering} ${seed}`, 0.2)
      expect(report.filtering === 0 || report.filtering >= f, `seed ${seed}`).toBe(true)
      // An address-and-port-dependent one may be met at one further place alone: then that it
      // depends is all that is known.
      expect(m === 1 ? [0, 1] : [0, 2, m], `seed ${seed}`).toContain(report.mapping)
    }
  })
})

test('a host of its own is behind no NAT', async () => {
  expect(await found(undefined, ['two addresses'], 'public')).toMatchObject({ natted: false, mapping: 1, filtering: 1 })
})

test('a host firewall shows as a filter without a NAT', async () => {
  await Internet.run('firewall', {}, async (internet) => {
    await internet.relay()
    const firewall = internet.router({ nat: 'none', lan: '81.9.9' })
    const peer = await internet.simPeer({ behind: firewall })
    expect(peer.nat).toMatchObject({ natted: false, mapping: 1, filtering: 3 })
  })
})

describe('changes', () => {
  test('another network, with another NAT, is another report', async () => {
    await Internet.run('changes', {}, async (internet) => {
      await internet.relay()
      const home = internet.router({ nat: nat.T3() })
      const phone = internet.router({ nat: nat.T4() })
      const peer = await internet.simPeer({ name: 'laptop', behind: home })
      expect(peer.nat).toMatchObject({ type: 'T3' })
      internet.move(peer.host, phone)
      internet.advance(duration(120_000))
      expect(peer.nat).toMatchObject({ type: 'T4' })
      expect(peer.events.filter(({ event }) => event.type === 'nat')).toHaveLength(2)
    })
  })

  test('nothing new is not told again', async () => {
    await Internet.run('same', {}, async (internet) => {
      const relay = await internet.relay()
      const peer = await internet.simPeer({ behind: nat.T2() })
      await relay.restart()
      internet.advance(duration(120_000))
      expect(peer.events.filter(({ event }) => event.type === 'nat')).toHaveLength(1)
    })
  })
})
