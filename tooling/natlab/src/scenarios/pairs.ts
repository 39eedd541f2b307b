/** Every ordered pair of NAT types, as the matrix of the simulator has it. */

import { NAT_KINDS, type NatKind } from '../rules.ts'
import { meet, part, type Scenario } from '../scenario.ts'
import { simulated } from '../simulated.ts'

const pair = (requester: NatKind, target: NatKind): Scenario => ({
  name: `${requester}-${target}`.toLowerCase(),
  title: `${requester} → ${target}`,
  async run(world) {
    const path = await simulated(requester, target)
    const [from, to] = [world.lab.host(world.side('a', requester)), world.lab.host(world.side('b', target))]
    const met = await meet(world, from, to, path)
    met.caller.type('hello')
    await met.caller.until('its line came back', ({ event, text }) => event === 'message' && text === 'hello')
    await part(met)
    return `${path}, as simulated`
  },
})

export const PAIRS: readonly Scenario[] = NAT_KINDS.flatMap((requester) =>
  NAT_KINDS.map((target) => pair(requester, target)),
)
