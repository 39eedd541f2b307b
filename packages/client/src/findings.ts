/** What a diagnosis makes of what was measured: a sentence for each thing, and what one can do about it. */
import { FIRST_CONTACT_TOLERANCE } from '@showchain/crypto/core'
import { type Endpoint, formatEndpoint, ipFamily, MAX_DATAGRAM, type PeerId } from '@showchain/wire'
import type { NatReport, NoMapping, PortMapping, ServerProbe } from './core/index.ts'
import type { Finding } from './finding.ts'
import type { LanMeasured } from './lan-check.ts'
import { inWords, WARNED_BEFORE } from './permit-watch.ts'
import type { RelayEvent } from './relay-event.ts'
import type { SocketImplementation } from './runtime/socket.ts'

export interface DiagnosedRelay {
  readonly id: PeerId
  /** All its addresses, and what became of the requests to each. */
  readonly probes: readonly ServerProbe[]
  /** Why it has none. */
  readonly unresolved?: string | undefined
  /** What became of the registration; undefined: nothing in time. */
  readonly registration: Pick<RelayEvent, 'state' | 'reason' | 'over'> | undefined
  /** When the permit in its ticket ends, Unix milliseconds. */
  readonly permitEnd?: number | undefined
}

/** What was measured. */
export interface Measured {
  readonly relays: readonly DiagnosedRelay[]
  /** When that was, Unix milliseconds. */
  readonly at: number
  /** IP addresses of this host. */
  readonly local: readonly string[]
  /** The prefix of the NAT64 of this network, and whether an address is one in it; undefined: there is none. */
  readonly nat64?: { readonly prefix: string; has(endpoint: Endpoint): boolean } | undefined
  readonly nat: NatReport | undefined
  readonly portMapping: PortMapping
  /** Undefined: not asked. */
  readonly lan: LanMeasured | undefined
  /** Undefined: not asked, or no server told the mapped address. */
  readonly hairpin: boolean | undefined
  readonly socket: SocketImplementation
  /** What opening the sockets warned of. */
  readonly warnings: readonly string[]
}

export function findingsOf(measured: Measured): readonly Finding[] {
  const { relays, local, nat64 } = measured
  const probes = relays.flatMap((relay) => relay.probes)
  const over6 = probes.filter(({ server }) => nat64?.has(server) !== true)
  return [
    socketFinding(measured),
    udpFinding(measured, probes),
    nat64 === undefined ? familyFinding(4, local, probes) : nat64Finding(nat64, probes),
    familyFinding(6, local, over6),
    ...relays.flatMap((relay) => [relayFinding(relay), ...permitFindings(relay, measured.at)]),
    packetSizeFinding(probes),
    clockFinding(probes),
    natFinding(measured),
    portMappingFinding(measured),
    ...lanFindings(measured),
    hairpinFinding(measured),
  ]
}

function socketFinding({ socket: { kind, reason }, warnings }: Measured): Finding {
  const found = `Sockets are ${kind === 'dgram' ? 'of node:dgram' : kind}: ${reason}.`
  if (warnings.length === 0) return { check: 'socket', verdict: 'good', found }
  return { check: 'socket', verdict: 'bad', found, advice: warnings.join(' ') }
}

const NO_RELAY = 'No relay is configured to ask.'

function udpFinding({ relays }: Measured, probes: readonly ServerProbe[]): Finding {
  const check = 'udp'
  if (relays.length === 0) return { check, verdict: 'unknown', found: NO_RELAY }
  const registered = relays.some((relay) => isRegistered(relay) && !isByWebSocket(relay))
  if (probes.some(({ answers }) => answers) || registered)
    return { check, verdict: 'good', found: 'UDP gets out of this network, and answers come in.' }
  return {
    ...{ check, verdict: 'bad', found: 'Nothing answers over UDP.' },
    advice: `Have the firewall of this network let UDP out, at least to ${portsOf(probes)}. ${
      relays.some(isByWebSocket)
        ? 'Until then this host is reached through relays alone, by WebSocket.'
        : 'No relay was reached by WebSocket either.'
    }`,
  }
}

function portsOf(probes: readonly ServerProbe[]): string {
  const ports = [...new Set(probes.map(({ server }) => server.port))]
  return ports.length === 0 ? 'the ports of the relays' : `port ${ports.join(', ')}`
}

/** IPv4 on a host that has none of its own. */
function nat64Finding({ prefix, has }: NonNullable<Measured['nat64']>, probes: readonly ServerProbe[]): Finding {
  const check = 'ipv4'
  const found = `This network reaches IPv4 by NAT64 (${prefix})`
  const asked = probes.filter(({ server }) => has(server))
  if (asked.length === 0) return { check, verdict: 'unknown', found: `${found}; no relay has an IPv4 address to ask.` }
  const first = asked.find(({ answers }) => answers)
  if (first === undefined)
    return { check, verdict: 'bad', found: `${found}, and no relay answers through it.`, advice: NAT64_ADVICE }
  const seen = first.mapped === undefined ? '' : `, and sees this host at ${formatEndpoint(first.mapped)}`
  return { check, verdict: 'good', found: `${found}: ${formatEndpoint(first.server)} answers${seen}.` }
}

const NAT64_ADVICE = 'Ask whoever runs this network why its NAT64 lets no UDP through.'

function familyFinding(family: 4 | 6, local: readonly string[], probes: readonly ServerProbe[]): Finding {
  const check = family === 4 ? 'ipv4' : 'ipv6'
  const name = `IPv${family}`
  if (!local.some((ip) => ipFamily(ip) === family))
    return { check, verdict: 'unknown', found: `This host has no ${name} address but its own loopback.` }
  const asked = probes.filter(({ server }) => ipFamily(server.ip) === family)
  if (asked.length === 0) return { check, verdict: 'unknown', found: `No relay has an ${name} address to ask.` }
  const [first] = asked.filter(({ answers }) => answers)
  if (first !== undefined) {
    const seen = first.mapped === undefined ? '' : `, and sees this host at ${formatEndpoint(first.mapped)}`
    return { check, verdict: 'good', found: `${formatEndpoint(first.server)} answers over ${name}${seen}.` }
  }
  return {
    ...{ check, verdict: 'bad', found: `This host has an ${name} address, and no relay answers over ${name}.` },
    advice: `Only peers that have the other family reach this host, until ${name} works here or at the relay.`,
  }
}

const isByWebSocket = ({ registration }: DiagnosedRelay): boolean => registration?.over === 'websocket'
const isRegistered = ({ registration }: DiagnosedRelay): boolean => registration?.state === 'registered'
const list = (endpoints: readonly Endpoint[]): string => endpoints.map(formatEndpoint).join(' and ')

function relayFinding(relay: DiagnosedRelay): Finding {
  const check = 'relay'
  const { id, probes, unresolved, registration } = relay
  const answering = probes.filter(({ answers }) => answers)
  const rtts = answering.flatMap(({ rtt }) => rtt ?? [])
  const took = rtts.length === 0 ? 'in more than a second' : `in ${Math.min(...rtts).toFixed(1)} ms`
  if (isRegistered(relay) && isByWebSocket(relay))
    return { check, verdict: 'good', found: `Relay ${id} registers this host, by WebSocket.` }
  if (isRegistered(relay)) {
    const where = answering.length === 0 ? ', and answers no STUN' : `: ${list(serversOf(answering))} answers ${took}`
    return { check, verdict: 'good', found: `Relay ${id} registers this host${where}.` }
  }
  if (unresolved !== undefined)
    return {
      ...{ check, verdict: 'bad', found: `Relay ${id} has no address: ${unresolved}.` },
      advice: 'See whether this host resolves names, and whether the ticket of the relay is right.',
    }
  const why = registration?.reason ?? 'no answer in time'
  if (answering.length > 0)
    return {
      ...{ check, verdict: 'bad', found: `Relay ${id} answers ${took}, and does not register this host: ${why}.` },
      advice: 'Ask who runs it whether it takes this host, and whether its ticket is still this one.',
    }
  return {
    ...{ check, verdict: 'bad', found: `Relay ${id} at ${list(serversOf(probes))} does not answer: ${why}.` },
    advice: `See whether it runs, and whether UDP to ${portsOf(probes)} gets out of this network.`,
  }
}

function permitFindings({ id, permitEnd }: DiagnosedRelay, at: number): readonly Finding[] {
  const check = 'permit'
  if (permitEnd === undefined) return []
  const [permit, left] = [`The permit in the ticket of relay ${id}`, permitEnd - at]
  if (left > WARNED_BEFORE) return [{ check, verdict: 'good', found: `${permit} holds for ${inWords(left)}.` }]
  const found = left > 0 ? `${permit} ends in ${inWords(left)}.` : `${permit} has run out.`
  return [{ check, verdict: 'bad', found, advice: 'Ask whoever runs the relay for a new ticket.' }]
}

const serversOf = (probes: readonly ServerProbe[]): readonly Endpoint[] => probes.map(({ server }) => server)

function packetSizeFinding(probes: readonly ServerProbe[]): Finding {
  const check = 'packetSize'
  const asked = probes.filter(({ large }) => large !== undefined)
  const lost = asked.filter(({ large }) => large === false)
  if (asked.length === 0)
    return { check, verdict: 'unknown', found: 'No relay answers STUN, so no large packet was tried.' }
  if (lost.length === 0)
    return { check, verdict: 'good', found: `Packets with ${MAX_DATAGRAM} bytes of UDP data arrive.` }
  return {
    ...{ check, verdict: 'bad', found: `Packets with ${MAX_DATAGRAM} bytes do not reach ${list(serversOf(lost))}.` },
    advice: 'Raise the MTU of the tunnel or VPN that this host uses to 1,280 bytes or more.',
  }
}

/** A clock that only one relay contradicts may be right, and so the nearest counts. */
function clockFinding(probes: readonly ServerProbe[]): Finding {
  const check = 'clock'
  const offsets = probes.flatMap(({ clockOffset }) => clockOffset ?? [])
  const [nearest] = offsets.sort((one, other) => Math.abs(one) - Math.abs(other))
  if (nearest === undefined) return { check, verdict: 'unknown', found: 'No relay says what time it is.' }
  const seconds = Math.round(Math.abs(nearest) / 1000)
  if (Math.abs(nearest) <= FIRST_CONTACT_TOLERANCE)
    return { check, verdict: 'good', found: 'The clock of this host is near that of a relay.' }
  return {
    ...{ check, verdict: 'bad', found: `The clock of this host is ${seconds} s ${nearest > 0 ? 'behind' : 'ahead'}.` },
    advice: `Set it by NTP: to peers that have not met this host it may be off by ${FIRST_CONTACT_TOLERANCE / 1000} s.`,
  }
}

function natFinding({ nat }: Measured): Finding {
  const check = 'nat'
  if (nat?.natted === false) return { check, verdict: 'good', found: 'There is no NAT in front of this host.' }
  if (nat?.type === 'T4')
    return {
      ...{ check, verdict: 'bad', found: 'The NAT gives a new port for each destination (T4, symmetric).' },
      advice:
        'Peers behind such a NAT too, or behind T3, are mostly reached through a relay. Forward a port, if one may.',
    }
  if (nat?.type === undefined) {
    const why = nat === undefined || nat.notes.length === 0 ? 'No server told enough.' : nat.notes.join(' ')
    return { check, verdict: 'unknown', found: `The type of NAT is unknown. ${why}` }
  }
  return { check, verdict: 'good', found: `The NAT keeps one port for all destinations (${nat.type}).` }
}

function portMappingFinding({ portMapping }: Measured): Finding {
  const check = 'portMapping'
  switch (portMapping.state) {
    case 'asking':
      return { check, verdict: 'unknown', found: 'The router has not said so far whether it maps a port.' }
    case 'mapped': {
      const { protocol, external, lifetime } = portMapping
      const found = `The router maps a port by ${protocol}: everybody reaches this host at ${formatEndpoint(external)}`
      return { check, verdict: 'good', found: `${found}, for ${lifetime} s each time.` }
    }
    case 'none': {
      const { cause, why } = portMapping
      if (cause === 'needless') return { check, verdict: 'good', found: `A port mapping is not needed: ${why}.` }
      const found = `No router maps a port: ${why}.`
      const advice = MAPPING_ADVICE[cause]
      return { check, verdict: advice === undefined ? 'unknown' : 'bad', found, advice }
    }
  }
}

/** Of what can be told. A router that is silent may have it switched off, or not have it at all. */
const MAPPING_ADVICE: Readonly<Partial<Record<NoMapping, string>>> = {
  refused: 'Allow this host to map ports in the settings of the router, or forward one by hand (--addr).',
  useless: 'Have the router in front be the only one: bridge mode, or a public address from the provider.',
}

function lanFindings({ lan }: Measured): readonly Finding[] {
  const check = 'lan'
  if (lan === undefined) return []
  const { links, heard, warnings } = lan
  const names = links.join(' and ')
  if (links.length === 0)
    return [{ check, verdict: 'unknown', found: 'This host is on no private network where peers could find it.' }]
  if (warnings.length > 0) {
    const advice = 'See whether another program has UDP port 5353 for itself.'
    return [{ check, verdict: 'bad', found: warnings.join(' '), advice }]
  }
  if (heard) return [{ check, verdict: 'good', found: `Peers of one network find this host by its id: ${names}.` }]
  return [
    {
      ...{ check, verdict: 'bad', found: `What this host sends by multicast does not come back: ${names}.` },
      advice: 'Have the firewall of this host let UDP port 5353 in and out, or peers of one network do not find it.',
    },
  ]
}

function hairpinFinding({ nat, hairpin }: Measured): Finding {
  const check = 'hairpin'
  if (nat?.natted === false) return { check, verdict: 'good', found: 'Hairpinning is not needed: there is no NAT.' }
  if (hairpin === undefined)
    return { check, verdict: 'unknown', found: 'Hairpinning is unknown: no server told the outside address.' }
  if (hairpin)
    return { check, verdict: 'good', found: 'The NAT hairpins: hosts behind it reach each other from outside.' }
  return {
    ...{ check, verdict: 'bad', found: 'The NAT does not hairpin.' },
    advice: 'Peers behind it connect by their local addresses, or through a relay where these do not reach each other.',
  }
}
