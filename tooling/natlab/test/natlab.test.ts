/**
 * Every scenario of the lab, one after the other: netfilter runs in real time. `npm test` plays
 * each pair of NAT types and one of each kind of change; `pnpm test:long` plays the others, and those
 * with sockets of node:dgram in which a socket could make a difference. `pnpm natlab` has those that
 * take minutes, and every one with either kind (`SHOWCHAIN_UDP`).
 */
import { needs } from '@showchain-tooling/vitest/needs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Lab } from '../src/lab.ts'
import { missing } from '../src/machine.ts'
import { lacks, type Scenario, World } from '../src/scenario.ts'
import { SCENARIOS } from '../src/scenarios/index.ts'

const MINUTES = 60_000
const SHORT = /^(t\d-t\d|ipv6|transfer-t3-t3|reboot|glare)$/
const MINUTES_LONG = /^(fleet-pairs|relay-restart-64|blocked|stop-.*-[39]0)$/
const why = missing()

/** Sizes of packets, both families, errors of the network, a full link. */
const OF_SOCKETS = /^(t3-t3|t4-t4|ipv6|narrow|transfer-t3-t3|renumber|relay-kill|kill-listener|crowd)$/

/** The default is batched, where it works. */
const KINDS = [
  ['auto', /./, SHORT],
  ['dgram', OF_SOCKETS, /^$/],
] as const

describe.each(KINDS)('the built programs behind NATs of the Linux kernel, sockets: %s', (sockets, all, short) => {
  describe('play', needs(why === undefined, why ?? ''), () => {
    let lab: Lab
    let world: World

    beforeAll(async () => {
      lab = new Lab(sockets)
      world = await World.open(lab)
    }, MINUTES)
    afterAll(() => lab.close(), MINUTES)

    const play = async (scenario: Scenario): Promise<void> => {
      const { ok, seen } = await world.play(scenario)
      expect(ok, seen).toBe(true)
    }
    for (const scenario of SCENARIOS.filter(({ name }) => all.test(name) && !MINUTES_LONG.test(name))) {
      const { name, title } = scenario
      const tags = short.test(name) ? [] : ['long']
      const lacking = lacks(scenario)
      const options = { timeout: 5 * MINUTES, tags, ...needs(lacking === undefined, lacking ?? '') }
      test(`${name}: ${title}`, options, () => play(scenario))
    }
  })
})
