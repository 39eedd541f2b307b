/** Every ordered pair of NAT types, as in the simulator's matrix. */
import { NAT_KINDS, type NatKind } from '../rules.ts'
import { connectPair, endPair, type Scenario } from '../scenario.ts'
import { simulatedPair } from '../simulated.ts'

const pair = (requester: NatKind, target: NatKind): Scenario => ({
  name: `${requester}-${target}`.toLowerCase(),
  title: `${requester} → ${target}`,
  async run(world) {
    const path = await simulatedPair(requester, target)
    const [from, to] = [world.lab.host(world.side('a', requester)), world.lab.host(world.side('b', target))]
    const met = await connectPair(world, from, to, path)
    met.caller.writeLine('hello')
    await met.caller.until('its line was echoed', ({ event, text }) => event === 'message' && text === 'hello')
    await endPair(met)
    return `${path}, as simulated`
  },
})

export const PAIRS: readonly Scenario[] = NAT_KINDS.flatMap((requester) =>
  NAT_KINDS.map((target) => pair(requester, target)),
)
