/** Peers behind one NAT, behind one CGN, and with IPv6. */
import { nat } from '@showchain/testkit'
import type { Host } from '../lab-options.ts'
import { connectPair, endPair, type Scenario, type World } from '../scenario.ts'
import { type PathKind, simulatedPair, simulatedPath } from '../simulated.ts'

export async function hello(
  world: World,
  from: Host,
  to: Host,
  path: PathKind,
  relays?: readonly string[],
  hosts?: { readonly from: string; readonly to: string },
): Promise<string> {
  const met = await connectPair(world, from, to, path, relays, hosts)
  met.caller.writeLine('hello')
  await met.caller.until('its line was echoed', ({ event, text }) => event === 'message' && text === 'hello')
  const remotes = met.caller.events.flatMap(
    ({ path: at }) => (at as { remote: { ip: string } } | undefined)?.remote.ip ?? [],
  )
  await endPair(met)
  return remotes.at(-1) ?? ''
}

async function twoHomes(world: World, hairpin: boolean): Promise<readonly [Host, Host]> {
  const carrier = await world.router({ kind: 'T3', hairpin, lan: '100.64.0' })
  const homes = [
    await world.router({ kind: 'T3', behind: carrier }),
    await world.router({ kind: 'T3', behind: carrier }),
  ]
  return homes.map((home) => world.lab.host(home)) as unknown as readonly [Host, Host]
}

export const PLACES: readonly Scenario[] = [
  {
    name: 'same-nat',
    title: 'two hosts behind one T3 without hairpinning',
    async run(world) {
      const router = await world.router({ kind: 'T3' })
      const path = await simulatedPair('T3', 'same NAT')
      const [from, to] = [world.lab.host(router), world.lab.host(router)]
      const remote = await hello(world, from, to, path)
      if (remote !== to.ip && remote !== to.ip6)
        throw new Error(`the path goes to ${remote}, not to ${to.ip} or ${to.ip6}`)
      return `${path}, as simulated, on the private address`
    },
  },
  {
    name: 'same-nat-hairpin',
    title: 'two hosts behind one T4 with hairpinning',
    async run(world) {
      const router = await world.router({ kind: 'T4', hairpin: true })
      const path = await simulatedPair('T4', 'same NAT, hairpin')
      await hello(world, world.lab.host(router), world.lab.host(router), path)
      return `${path}, as simulated`
    },
  },
  {
    name: 'cgn',
    title: 'a home behind a CGN (T3 behind T3), and a home with a public address (T3)',
    async run(world) {
      const path = await simulatedPair('T3 in CGN', 'T3')
      const [home] = await twoHomes(world, false)
      await hello(world, home, world.lab.host(world.side('b', 'T3')), path)
      return `${path}, as simulated`
    },
  },
  {
    name: 'cgn-hairpin',
    title: 'two homes with the same private addresses, behind one CGN with hairpinning',
    async run(world) {
      const path = await simulatedPair('CGN', 'same CGN')
      const [from, to] = await twoHomes(world, true)
      await hello(world, from, to, path)
      return `${path}, as simulated`
    },
  },
  {
    name: 'cgn-no-hairpin',
    title: 'two homes behind one CGN without hairpinning',
    async run(world) {
      const path = await simulatedPair('CGN', 'same CGN, no hairpin')
      const [from, to] = await twoHomes(world, false)
      await hello(world, from, to, path)
      return `${path}, as simulated`
    },
  },
  {
    name: 'ipv6',
    title: 'two hosts with IPv6 behind stateful firewalls, their IPv4 behind T4',
    async run(world) {
      const path = await simulatedPath({ behind: [nat.T4(), nat.T4()], ipv6: true })
      const relay = await world.lab.relay(1, { families: [6] })
      const [from, to] = [world.lab.host(world.side('a', 'T4')), world.lab.host(world.side('b', 'T4'))]
      const remote = await hello(world, from, to, path, [relay.ticket])
      await relay.program.kill()
      if (!remote.includes(':')) throw new Error(`the path goes to ${remote}`)
      return `${path} over IPv6, as simulated`
    },
  },
]
