/** Every scenario of the lab, one after the other: netfilter runs in real time. */
import { needs } from '@showchain-tooling/vitest/needs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Lab } from '../src/lab.ts'
import { missing } from '../src/machine.ts'
import { World } from '../src/scenario.ts'
import { SCENARIOS } from '../src/scenarios/index.ts'

const MINUTES = 60_000
const why = missing()

describe('the built programs behind NATs of the Linux kernel', needs(why === undefined, why ?? ''), () => {
  let lab: Lab
  let world: World

  beforeAll(async () => {
    lab = new Lab()
    world = await World.open(lab)
  }, MINUTES)
  afterAll(() => lab.close(), MINUTES)

  test.each(SCENARIOS)(
    '$name: $title',
    async (scenario) => {
      const { ok, seen } = await world.play(scenario)
      expect(ok, seen).toBe(true)
    },
    5 * MINUTES,
  )
})
