/** miniupnpd on a router of the lab, which maps ports for hosts behind it by PCP, NAT-PMP or UPnP. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from './lab.ts'
import type { Host } from './lab-options.ts'
import type { Program } from './program.ts'
import type { Router } from './router.ts'
import { MAPPING_TABLE, WITHOUT_PCP } from './rules.ts'

export interface MappingServiceOptions {
  /** The outside address that it names. @default that of the router */
  readonly claims?: string | undefined
  /** Its router drops what is of PCP, so that NAT-PMP is left. @default false */
  readonly withoutPcp?: boolean | undefined
  /** It speaks UPnP, and nothing else. @default false */
  readonly upnp?: boolean | undefined
}

/** Resolves when it takes requests. */
export async function startMappingService(
  lab: Lab,
  router: Router,
  { claims, withoutPcp = false, upnp = false }: MappingServiceOptions = {},
): Promise<Program> {
  lab.names.nft(router.name, MAPPING_TABLE)
  if (withoutPcp) lab.names.nft(router.name, WITHOUT_PCP)
  const file = join(lab.folder, `${router.name}-miniupnpd.conf`)
  const lines = [
    ...['ext_ifname=wan', 'listening_ip=lan', ...(claims === undefined ? [] : [`ext_ip=${claims}`])],
    ...(upnp ? ['enable_natpmp=no', 'enable_upnp=yes'] : ['enable_natpmp=yes', 'enable_upnp=no']),
    ...['secure_mode=yes', 'system_uptime=yes'],
    ...['upnp_table_name=opened', 'upnp_nat_table_name=opened', 'upnp_forward_chain=allowed'],
    ...['upnp_nat_chain=inside', 'upnp_nat_postrouting_chain=outside'],
    'allow 1024-65535 0.0.0.0/0 1024-65535',
  ]
  writeFileSync(file, `${lines.join('\n')}\n`)
  const pid = join(lab.folder, `${router.name}-miniupnpd.pid`)
  const program = lab.start('miniupnpd', router.name, ['miniupnpd', '-d', '-f', file, '-P', pid])
  const listens = upnp ? 'HTTP listening on port' : 'Listening for NAT-PMP/PCP'
  await program.until('it takes requests', ({ text }) => String(text).includes(listens))
  return program
}

/** The outside address by natpmpc or upnpc, which this project did not write. */
export function outsideAddress(lab: Lab, { name }: Host, { lan }: Router, upnp: boolean): string | undefined {
  if (upnp) return /ExternalIPAddress = (\S+)/.exec(lab.names.exec(name, 'upnpc', ['-s']))?.[1]
  return /Public IP address : (\S+)/.exec(lab.names.exec(name, 'natpmpc', ['-g', `${lan}.1`]))?.[1]
}

/** Whether the router's kernel lets everybody in to the host: from which port to which one. */
export function mappedPort(lab: Lab, router: Router, { ip }: Host): { outside: number; inside: number } | undefined {
  const rules = lab.names.exec(router.name, 'nft', ['list', 'chain', 'inet', 'opened', 'inside'])
  const found = new RegExp(`dport (\\d+) dnat ip to ${ip.replaceAll('.', '\\.')}:(\\d+)`).exec(rules)
  return found === null ? undefined : { outside: Number(found[1]), inside: Number(found[2]) }
}
