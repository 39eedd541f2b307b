/** Peers of IPv4, of IPv6 and of both, at a relay of both. */
import { nat } from '@showchain/testkit'
import type { Host } from '../lab-options.ts'
import { hostsOfNat64, isInNat64, startNat64 } from '../nat64-service.ts'
import { WITHOUT_IPV6 } from '../rules.ts'
import { connectPair, type Scenario, type World } from '../scenario.ts'
import { simulatedNat64, simulatedPair } from '../simulated.ts'
import { FILE_BYTES, transferOn } from '../transfer.ts'
import { hello } from './places.ts'

/** The share of the file that came before a family is lost. */
const AT = 0.3
/** Two seconds, and a machine that is busy. */
const GAP_SECONDS = 3

/** The interface of a host has no addresses of this family any more. */
function lose({ lab }: World, host: Host, family: 4 | 6): Host {
  lab.names.ip(host.name, `-${family} addr flush dev eth0`)
  return host
}

async function relayOfBoth({ lab }: World): Promise<string> {
  return (await lab.relay(1, { families: [4, 6] })).ticket
}

export const FAMILIES: readonly Scenario[] = [
  {
    name: 'families-apart',
    title: 'a host of IPv4 alone and one of IPv6 alone, by a relay of both',
    async run(world) {
      const path = await simulatedPair('IPv4 alone', 'IPv6 alone')
      const [from, to] = world.hosts('T3', 'T3')
      await hello(world, lose(world, from, 6), lose(world, to, 4), path, [await relayOfBoth(world)])
      return `${path}, as simulated`
    },
  },
  {
    name: 'families-t4',
    title: 'two hosts of both, their IPv4 behind T4 and their IPv6 behind stateful firewalls',
    async run(world) {
      const path = await simulatedPair('both, T4', 'both, T4')
      const remote = await hello(world, ...world.hosts('T4', 'T4'), path, [await relayOfBoth(world)])
      if (!remote.includes(':')) throw new Error(`the path goes to ${remote}`)
      return `${path} over IPv6, as simulated`
    },
  },
  {
    name: 'families-ipv4',
    title: 'a host of both, which the relay sees over IPv6, and one of IPv4 alone',
    async run(world) {
      const path = await simulatedPair('IPv4 alone', 'both, T3')
      const [from, to] = world.hosts('T3', 'T3')
      const remote = await hello(world, lose(world, from, 6), to, path, [await relayOfBoth(world)])
      if (remote.includes(':')) throw new Error(`the path goes to ${remote}`)
      return `${path} over IPv4, as simulated`
    },
  },
  {
    name: 'families-nat64',
    title: 'a host of IPv6 alone behind a NAT64 and one of IPv4 alone, by a relay of IPv4 alone',
    needs: { tayga: 'tayga' },
    async run(world) {
      const path = await simulatedNat64([nat.T3(), nat.T3()])
      const router = await world.router({ kind: 'T3' })
      await startNat64(world.lab, router)
      const [from, to] = [world.lab.host(router), world.lab.host(world.side('b', 'T3'))]
      const hosts = { from: hostsOfNat64(world.lab), to: '/etc/hosts' }
      const remote = await hello(world, lose(world, from, 4), lose(world, to, 6), path, [world.relay], hosts)
      if (!isInNat64(remote)) throw new Error(`the path goes to ${remote}`)
      return `${path}, as simulated, through tayga`
    },
  },
  {
    name: 'families-lost',
    title: 'a host of both loses IPv6 during a transfer that goes over it',
    async run(world) {
      const path = await simulatedPair('both, T3', 'both, T3')
      const [from, to] = world.hosts('T3', 'T3')
      const pair = await connectPair(world, from, to, path, [await relayOfBoth(world)])
      const happen = (): void => void lose(world, from, 6)
      return transferOn(pair, path, FILE_BYTES, { at: AT, happen, most: GAP_SECONDS })
    },
  },
  {
    name: 'families-silent',
    title: 'a router drops IPv6 in silence during a transfer that goes over it',
    async run(world) {
      const path = await simulatedPair('both, T3', 'both, T3')
      const router = await world.router({ kind: 'T3' })
      const [from, to] = [world.lab.host(router), world.lab.host(world.side('b', 'T3'))]
      const pair = await connectPair(world, from, to, path, [await relayOfBoth(world)])
      const happen = (): void => world.lab.names.nft(router.name, WITHOUT_IPV6)
      return transferOn(pair, path, FILE_BYTES, { at: AT, happen, most: GAP_SECONDS })
    },
  },
]
