/**
 * The simulator's prediction for a scenario: the lab then checks that the kernel behaves the same.
 */

import { Peer, parseTicket } from '@showchain/client'
import { duration, later } from '@showchain/client/core'
import type { Runtime, Scheduled } from '@showchain/client/runtime'
import { opensslEndToEnd } from '@showchain/crypto'
import {
  type Host,
  Internet,
  type MappingServerOptions,
  type NatBehaviour,
  nat,
  PAIRINGS,
  play,
  type Router,
  type SimRelay,
} from '@showchain/testkit'

export type PathKind = 'direct' | 'relay'

/** Virtual time in which a pair settles on its best path, also after a disturbance. */
const SETTLE_TIME = duration(180_000)
const RELAY6 = '2a01:4f9::1'
/** What a host asks for its NAT64's prefix (RFC 7050), and the answer with the well-known one. */
const [ARPA, ARPA_IN_64] = ['ipv4only.arpa', '64:ff9b::c000:aa'] as const
/** A message this often keeps the pair busy. */
const MESSAGE_INTERVAL = duration(1000)

/** The path of a pair of the matrix. */
export async function simulatedPair(requester: string, target: string): Promise<PathKind> {
  const pairing = PAIRINGS.find((each) => each.requester === requester && each.target === target)
  if (pairing === undefined) throw new Error(`the simulator has no pair ${requester} → ${target}`)
  const { path } = await play(pairing, 'natlab')
  return path as PathKind
}

export interface Disturbed {
  readonly behind: readonly [NatBehaviour, NatBehaviour]
  readonly relays?: number
  /** Packet loss on the public network, in percent. @default 0 */
  readonly loss?: number
  /** IPv6-only relays, and IPv6 behind both routers. @default false */
  readonly ipv6?: boolean
  /** Both dial. @default false */
  readonly glare?: boolean
  happen?(world: {
    readonly routers: readonly [Router, Router]
    readonly relays: readonly SimRelay[]
  }): void | Promise<void>
}

/**
 * The path of a busy pair before a disturbance, and after its recovery.
 * @throws Error when it does not recover
 */
async function simulatedPaths({
  behind,
  relays = 1,
  loss = 0,
  ipv6 = false,
  glare = false,
  happen = () => {},
}: Disturbed): Promise<readonly [PathKind, PathKind]> {
  let found: readonly [PathKind, PathKind] | undefined
  await Internet.run('natlab', { loss: loss / 100 }, async (internet) => {
    const running: SimRelay[] = []
    const place = ipv6 ? ({ ips: [RELAY6], stun: 'plain' } as const) : {}
    while (running.length < relays) running.push(await internet.relay(place))
    const [here, there] = behind.map((behaviour) => internet.router({ nat: behaviour, ipv6 })) as [Router, Router]
    const [alice, bob] = [
      await internet.simPeer({ behind: here, endToEnd: opensslEndToEnd }),
      await internet.simPeer({ behind: there, endToEnd: opensslEndToEnd }),
    ]
    if (glare) bob.dialPeer(alice)
    const ours = await alice.connect(bob)
    const { clock } = internet.sim
    let next: Scheduled | undefined
    const sendMessage = (): void => {
      const [connection] = alice.open
      if (connection === undefined) return
      alice.send(connection.id, Uint8Array.of(1))
      next = clock.schedule(later(clock.now(), MESSAGE_INTERVAL), sendMessage)
    }
    sendMessage()
    internet.advance(SETTLE_TIME)
    const before = ours.path.kind
    await happen({ routers: [here, there], relays: running })
    internet.advance(SETTLE_TIME)
    const [connection] = alice.open
    if (connection === undefined) throw new Error(`in the simulator the connection closed: ${ours.closed}`)
    if (alice.open.length > 1) throw new Error(`in the simulator there are ${alice.open.length} connections`)
    if (ipv6 && !connection.path.remote.ip.includes(':'))
      throw new Error(`in the simulator the path goes to ${connection.path.remote.ip}`)
    next?.cancel()
    found = [before, connection.path.kind]
  })
  return found as readonly [PathKind, PathKind]
}

/** The path of a busy pair, the same before and after a disturbance. @throws Error otherwise */
export async function simulatedPath(disturbed: Disturbed): Promise<PathKind> {
  const [before, after] = await simulatedPaths(disturbed)
  if (before !== after)
    throw new Error(`in the simulator the path was ${before} before, and ${after} after the disturbance`)
  return after
}

/** The path of a pair of which one end or both have no UDP; and of one that is let through afterwards. */
export async function simulatedWithoutUdp(how: {
  readonly both: boolean
  readonly letThrough: boolean
}): Promise<readonly [PathKind, PathKind]> {
  let found: readonly [PathKind, PathKind] | undefined
  await Internet.run('natlab', {}, async (internet) => {
    await internet.relay({ websocket: true })
    const hosts = ['one', 'other'].map((name) => internet.host(name, { behind: internet.router({ nat: nat.T2() }) }))
    const [one, other] = hosts as [Host, Host]
    one.blocksUdp = true
    other.blocksUdp = how.both
    const [bob, alice] = [
      await internet.simPeer({ host: other, endToEnd: opensslEndToEnd }),
      await internet.simPeer({ host: one, endToEnd: opensslEndToEnd }),
    ]
    const connection = await alice.connect(bob)
    internet.advance(SETTLE_TIME)
    const before = connection.path.kind
    if (how.letThrough) one.blocksUdp = false
    // Data keeps it busy, as a transfer does.
    for (let second = 0; second < 60; second++) {
      alice.send(connection.id, Uint8Array.of(1))
      internet.advance(MESSAGE_INTERVAL)
    }
    found = [before, connection.path.kind]
  })
  return found as readonly [PathKind, PathKind]
}

/** The path of a pair whose listener's router maps ports; `double`: behind a carrier's. */
export async function simulatedMapping(
  behind: readonly [NatBehaviour, NatBehaviour],
  { maps, double = false }: { readonly maps: MappingServerOptions; readonly double?: boolean },
): Promise<PathKind> {
  let found: PathKind | undefined
  await Internet.run('natlab', {}, async (internet) => {
    await internet.relay()
    const carrier = double ? internet.router({ nat: nat.T4(), lan: '100.64.0' }) : undefined
    const listener = await internet.peer({ behind: internet.router({ nat: behind[1], behind: carrier, maps }) })
    const caller = await internet.peer({ behind: behind[0] })
    await internet.wait(SETTLE_TIME)
    const connection = await caller.connect({ ...parseTicket(listener.ticket), addresses: [] })
    await internet.wait(SETTLE_TIME)
    found = connection.path.kind
  })
  return found as PathKind
}

/** The path of a host of IPv6 alone behind a NAT64, to one of IPv4 alone, by a relay of IPv4 alone. */
export async function simulatedNat64(behind: readonly [NatBehaviour, NatBehaviour]): Promise<PathKind> {
  let found: PathKind | undefined
  await Internet.run('natlab', {}, async (internet) => {
    const relay = await internet.relay()
    const host = internet.host('six', { behind: internet.router({ nat: behind[0], ipv6: true, nat64: true }) })
    host.moveTo(...host.ips.filter((ip) => ip.includes(':')))
    const resolve: Runtime['resolve'] = async ({ host: name, port }) => [
      { ip: name === ARPA ? ARPA_IN_64 : name, port },
    ]
    const identity = internet.sim.identity('six')
    const runtime = { ...internet.runtime(host), resolve }
    const caller = await internet.settle(Peer.open({ identity, runtime, relays: [relay.ticket] }))
    await caller.registered()
    const listener = await internet.peer({ behind: internet.router({ nat: behind[1] }) })
    const connection = await caller.connect({ ...parseTicket(listener.ticket), addresses: [] })
    await internet.wait(SETTLE_TIME)
    found = connection.path.kind
    await caller.close()
  })
  return found as PathKind
}
