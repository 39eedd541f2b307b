/** Pairs of peers that the matrix plays: each ordered pair of NAT types, and topologies beyond them. */
import type { DialPolicy } from '@showchain/client/core'
import type { Internet, SimPeerPlace } from './internet.ts'
import { nat } from './nat.ts'

/** Where two peers are, and the best path that the network allows between them. */
export interface Pairing {
  readonly requester: string
  readonly target: string
  readonly best: 'direct' | 'birthday' | 'relay'
  /**
   * What the requester is to the relay: registered, nobody, or somebody who had an answer there days
   * ago, and a token with it. @default registered
   */
  readonly contact?: 'first' | 'token'
  /**
   * Both have been connected before; with `early`, the first byte of the requester is early data.
   * @default neither
   */
  readonly met?: 'before' | 'early'
  /** The relay takes WebSocket connections. @default false */
  readonly websocket?: boolean
  /** The relay has both IP families. @default IPv4 alone */
  readonly ipv6?: boolean
  /** Whose router maps ports. @default nobody's */
  readonly mapped?: 'requester' | 'target'
  /** How the requester connects. @default auto */
  readonly via?: DialPolicy
  /** Puts both ends into the internet. */
  place(internet: Internet): { readonly requester: SimPeerPlace; readonly target: SimPeerPlace }
}

const TYPES = ['T1', 'T2', 'T3', 'T4'] as const
type NatType = (typeof TYPES)[number]
const NAT_TYPES = TYPES.flatMap((requester) => TYPES.map((target) => [requester, target] as const))

/** docs/protocol.md, Choosing a path. */
function best(requester: NatType, target: NatType): Pairing['best'] {
  const pair = [requester, target].sort().join()
  return pair === 'T4,T4' ? 'relay' : pair === 'T3,T4' ? 'birthday' : 'direct'
}

const simple = (
  requester: string,
  target: string,
  how: Pairing['best'],
  places: [SimPeerPlace, SimPeerPlace],
): Pairing => ({
  requester,
  target,
  best: how,
  place: () => ({ requester: places[0], target: places[1] }),
})

/** Every ordered pair of the seed's four NAT types. */
export const NAT_PAIRINGS: readonly Pairing[] = NAT_TYPES.map(([requester, target]) =>
  simple(requester, target, best(requester, target), [{ behind: nat[requester]() }, { behind: nat[target]() }]),
)

/** The same with a router that maps ports: that of the requester by NAT-PMP, or that of the target by PCP. */
export const MAPPED_PAIRINGS: readonly Pairing[] = NAT_TYPES.flatMap(([requester, target]) =>
  (['requester', 'target'] as const).map((mapped): Pairing => {
    const plain = (type: NatType): SimPeerPlace => ({ behind: nat[type]() })
    return {
      ...{ requester, target, mapped, best: 'direct' },
      place: (internet) => {
        const maps = { speaks: [mapped === 'requester' ? 'NAT-PMP' : 'PCP'] } as const
        const mapping = (type: NatType): SimPeerPlace => ({ behind: internet.router({ nat: nat[type](), maps }) })
        return mapped === 'requester'
          ? { requester: mapping(requester), target: plain(target) }
          : { requester: plain(requester), target: mapping(target) }
      },
    }
  }),
)

/** The requester has not registered with the relay of the target's ticket. */
const CONTACTS: readonly Pairing[] = (['first', 'token'] as const).map((contact) => ({
  ...simple(`T3, ${contact === 'first' ? 'new to the relay' : 'with a token'}`, 'T3', 'direct', [
    { behind: nat.T3() },
    { behind: nat.T3() },
  ]),
  contact,
}))

/** The requester has met the target, and asks where it was too. */
const MET: readonly Pairing[] = [
  { ...simple('T3, met before', 'T3', 'direct', [{ behind: nat.T3() }, { behind: nat.T3() }]), met: 'before' },
  { ...simple('T3, met before', 'T1', 'direct', [{ behind: nat.T3() }, { behind: nat.T1() }]), met: 'before' },
]

/** The requester has met the target, and speaks with its first request. */
const EARLY: readonly Pairing[] = [
  { ...simple('T3, early data', 'T3', 'direct', [{ behind: nat.T3() }, { behind: nat.T3() }]), met: 'early' },
  { ...simple('T4, early data', 'T4', 'relay', [{ behind: nat.T4() }, { behind: nat.T4() }]), met: 'early' },
  { ...simple('T3, early data', 'public', 'direct', [{ behind: nat.T3() }, {}]), met: 'early' },
]

/** The requester shows nobody its address. */
const HIDDEN: Pairing = {
  ...simple('T3, relay-only', 'T3', 'relay', [{ behind: nat.T3() }, { behind: nat.T3() }]),
  via: 'relay-only',
}

function withoutUdp(internet: Internet, name: string): SimPeerPlace {
  const host = internet.host(name, { behind: internet.router({ nat: nat.T3() }) })
  host.blocksUdp = true
  return { host }
}

/** An end whose network lets no UDP through, or both. */
const WITHOUT_UDP: readonly Pairing[] = [...TYPES, 'public' as const].flatMap((type) => {
  const place = (internet: Internet): SimPeerPlace => withoutUdp(internet, 'without UDP')
  const other = (): SimPeerPlace => (type === 'public' ? {} : { behind: nat[type]() })
  const common = { best: 'relay', websocket: true } as const
  return [
    { ...common, requester: type, target: 'no UDP', place: (net) => ({ requester: other(), target: place(net) }) },
    { ...common, requester: 'no UDP', target: type, place: (net) => ({ requester: place(net), target: other() }) },
  ] satisfies Pairing[]
})
const BOTH_WITHOUT_UDP: Pairing = {
  ...{ requester: 'no UDP', target: 'no UDP', best: 'relay', websocket: true },
  place: (internet) => ({ requester: withoutUdp(internet, 'here'), target: withoutUdp(internet, 'there') }),
}

/** Hosts of one IP family or of both, each behind a NAT (IPv4) and a stateful firewall (IPv6, RFC 6092). */
const HOMES = {
  'IPv4 alone': { nat: nat.T3, ipv4: true, ipv6: false },
  'IPv6 alone': { nat: nat.T3, ipv4: false, ipv6: true },
  'both, T3': { nat: nat.T3, ipv4: true, ipv6: true },
  'both, T4': { nat: nat.T4, ipv4: true, ipv6: true },
} as const

function home(internet: Internet, name: string, kind: keyof typeof HOMES): SimPeerPlace {
  const { nat: type, ipv4, ipv6 } = HOMES[kind]
  const host = internet.host(name, { behind: internet.router({ nat: type(), ipv6 }) })
  if (!ipv4) host.moveTo(...host.ips.filter((ip) => ip.includes(':')))
  return { host }
}

const KINDS = Object.keys(HOMES) as readonly (keyof typeof HOMES)[]

/** Direct wherever both ends have a family in common; the relay has both. */
const FAMILIES: readonly Pairing[] = KINDS.flatMap((requester) =>
  KINDS.map((target): Pairing => {
    const common = (['ipv4', 'ipv6'] as const).some((each) => HOMES[requester][each] && HOMES[target][each])
    const symmetric = [requester, target].sort().join() === 'IPv4 alone,both, T4'
    return {
      ...{ requester, target, ipv6: true, best: symmetric || !common ? 'relay' : 'direct' },
      place: (internet) => ({ requester: home(internet, 'here', requester), target: home(internet, 'there', target) }),
    }
  }),
)

/** These, those with a router that maps ports, each pair of IP families, ends without UDP, peers that have met, early data, a peer that hides, peers new to the relay, public peers, carrier-grade NAT, a shared NAT, and a path that works one way only. */
export const PAIRINGS: readonly Pairing[] = [
  ...NAT_PAIRINGS,
  ...MAPPED_PAIRINGS,
  ...CONTACTS,
  ...MET,
  ...EARLY,
  HIDDEN,
  ...WITHOUT_UDP,
  BOTH_WITHOUT_UDP,
  ...FAMILIES,
  ...TYPES.flatMap((type) => [
    simple('public', type, 'direct', [{}, { behind: nat[type]() }]),
    simple(type, 'public', 'direct', [{ behind: nat[type]() }, {}]),
  ]),
  {
    requester: 'T3 in CGN',
    target: 'T3',
    best: 'direct',
    place: (internet) => {
      const carrier = internet.router({ nat: nat.T3() })
      return {
        requester: { behind: internet.router({ nat: nat.T3(), behind: carrier }) },
        target: { behind: nat.T3() },
      }
    },
  },
  {
    requester: 'CGN',
    target: 'same CGN',
    best: 'direct',
    place: (internet) => {
      const carrier = internet.router({ nat: nat.T3({ hairpin: true }) })
      const home = (): SimPeerPlace => ({ behind: internet.router({ nat: nat.T3(), behind: carrier }) })
      return { requester: home(), target: home() }
    },
  },
  {
    requester: 'CGN',
    target: 'same CGN, no hairpin',
    best: 'relay',
    place: (internet) => {
      const carrier = internet.router({ nat: nat.T3() })
      const home = (): SimPeerPlace => ({ behind: internet.router({ nat: nat.T3(), behind: carrier }) })
      return { requester: home(), target: home() }
    },
  },
  {
    requester: 'T3',
    target: 'same NAT',
    best: 'direct',
    place: (internet) => {
      const behind = internet.router({ nat: nat.T3() })
      return { requester: { behind }, target: { behind } }
    },
  },
  {
    requester: 'T4',
    target: 'same NAT, hairpin',
    best: 'direct',
    place: (internet) => {
      const behind = internet.router({ nat: nat.T4({ hairpin: true }) })
      return { requester: { behind }, target: { behind } }
    },
  },
  {
    requester: 'public',
    target: 'public, one way only',
    best: 'relay',
    place: (internet) => {
      const requester = internet.host('here')
      const target = internet.host('there')
      // What the target sends to the requester never arrives: no packet between the two can be
      // answered.
      internet.sim.network.filter = ({ source, destination }) =>
        !(target.ips.includes(source.ip) && requester.ips.includes(destination.ip))
      return { requester: { host: requester }, target: { host: target } }
    },
  },
]
