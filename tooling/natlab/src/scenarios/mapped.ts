/** Routers that map ports: Debian's miniupnpd, which speaks PCP, NAT-PMP and UPnP. */
import { nat } from '@showchain/testkit'
import { PEER_PROGRAM } from '../lab.ts'
import type { Host } from '../lab-options.ts'
import { type MappingServiceOptions, mappedPort, outsideAddress, startMappingService } from '../mapping-service.ts'
import type { ProgramEvent } from '../program.ts'
import type { NatKind } from '../rules.ts'
import { connectPair, endPair, isOn, type Scenario, type World } from '../scenario.ts'
import { simulatedMapping } from '../simulated.ts'

const NEEDS = { miniupnpd: 'miniupnpd-nftables', natpmpc: 'natpmpc' } as const
const UPNP_NEEDS = { miniupnpd: 'miniupnpd-nftables', upnpc: 'miniupnpc' } as const

/** An outside address that no router of the lab has. */
const ELSEWHERE = '81.2.0.250'

/** What `showchain doctor` finds of port mapping. */
async function doctor({ lab, relay }: World, host: Host): Promise<ProgramEvent> {
  const command = [process.execPath, PEER_PROGRAM, 'doctor', '--lab', '--json', '--relay', relay]
  const program = lab.start(`doctor on ${host.name}`, host.name, command)
  await program.ended
  const finding = program.events.find(({ check }) => check === 'portMapping')
  if (finding === undefined) throw new Error(`doctor says nothing of port mapping\n${program.transcript()}`)
  return finding
}

const mapped = (protocol: 'PCP' | 'NAT-PMP' | 'UPnP', caller: NatKind): Scenario => ({
  name: `mapped-${protocol.toLowerCase()}`,
  title: `${caller} → T4 whose router maps ports by ${protocol}`,
  needs: protocol === 'UPnP' ? UPNP_NEEDS : NEEDS,
  async run(world) {
    const { lab } = world
    const path = await simulatedMapping([nat[caller](), nat.T4()], { maps: { speaks: [protocol] } })
    const router = await world.router({ kind: 'T4', global: true })
    await startMappingService(lab, router, { withoutPcp: protocol === 'NAT-PMP', upnp: protocol === 'UPnP' })
    const [from, to] = [lab.host(world.side('a', caller)), lab.host(router)]
    const outside = outsideAddress(lab, to, router, protocol === 'UPnP')
    if (outside !== router.wan) throw new Error(`the other program says that the outside address is ${outside}`)
    const found = await doctor(world, to)
    if (found.verdict !== 'good' || !String(found.found).includes(`by ${protocol}`))
      throw new Error(String(found.found))
    const { program: listener, ticket } = await lab.listen(to, [world.relay])
    const { external } = await listener.until('its port is mapped', ({ event }) => event === 'mapping')
    const { ip, port } = external as { readonly ip: string; readonly port: number }
    if (ip !== router.wan || mappedPort(lab, router, to)?.outside !== port)
      throw new Error(`it says ${ip} port ${port}, and the kernel has ${JSON.stringify(mappedPort(lab, router, to))}`)
    const program = lab.connect(from, ticket, { args: ['--linger', '3600'] })
    await Promise.all([program, listener].map((end) => end.until(`its path is ${path}`, isOn(path))))
    await endPair({ caller: program, listener })
    const left = mappedPort(lab, router, to)
    if (left !== undefined) throw new Error(`the mapping is still there: ${JSON.stringify(left)}`)
    return `${path}, as simulated, by ${ip} port ${port}; the mapping is gone with the listener`
  },
})

/** Eight trips of less than a millisecond, and a machine that is busy. */
const SOON_MS = 500

const LATE: Scenario = {
  name: 'mapped-late',
  title: 'T4 → T4 whose router maps a port when both are connected',
  needs: UPNP_NEEDS,
  async run(world) {
    const { lab } = world
    const router = await world.router({ kind: 'T4', global: true })
    // Silent to PCP and NAT-PMP, which are asked first.
    await startMappingService(lab, router, { upnp: true })
    const { program: listener, ticket } = await lab.listen(lab.host(router), [world.relay])
    const caller = lab.connect(lab.host(world.side('a', 'T4')), ticket, { args: ['--linger', '3600'] })
    const ends = [caller, listener]
    await Promise.all(ends.map((end) => end.until('it is relayed', isOn('relay'))))
    await listener.until('its port is mapped', ({ event }) => event === 'mapping')
    const since = performance.now()
    await Promise.all(ends.map((end) => end.until('its path is direct', isOn('direct'))))
    const took = Math.round(performance.now() - since)
    if (took > SOON_MS) throw new Error(`both were direct ${took} ms after the mapping`)
    await endPair({ caller, listener })
    return `direct ${took} ms after the mapping`
  },
}

/** What the router maps is of no use. */
const useless = (
  name: string,
  title: string,
  how: MappingServiceOptions & { readonly double: boolean; readonly says: string },
): Scenario => ({
  name,
  title,
  needs: NEEDS,
  async run(world) {
    const { lab } = world
    const maps = { speaks: ['PCP'], claims: how.claims } as const
    const path = await simulatedMapping([nat.T4(), nat.T4()], { maps, double: how.double })
    const carrier = how.double ? await world.router({ kind: 'T4', lan: '100.64.0' }) : undefined
    const router = await world.router({ kind: 'T4', behind: carrier, global: carrier === undefined })
    await startMappingService(lab, router, how)
    const to = lab.host(router)
    const found = await doctor(world, to)
    if (found.verdict !== 'bad' || !String(found.found).includes(how.says)) throw new Error(String(found.found))
    const pair = await connectPair(world, lab.host(world.side('b', 'T4')), to, path)
    await endPair(pair)
    return `${path}, as simulated; doctor: ${found.found}`
  },
})

export const MAPPED: readonly Scenario[] = [
  mapped('PCP', 'T4'),
  mapped('NAT-PMP', 'T3'),
  mapped('UPnP', 'T4'),
  LATE,
  useless('mapped-double-nat', 'T4 → T4 whose router maps ports, behind a carrier', {
    ...{ double: true, says: 'the router refuses it by PCP' },
  }),
  useless('mapped-liar', 'T4 → T4 whose router names an outside address that is not its own', {
    ...{ double: false, claims: ELSEWHERE, says: 'relays see this host at' },
  }),
]
