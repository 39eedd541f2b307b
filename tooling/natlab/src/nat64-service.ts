/** tayga on a router of the lab: a NAT64 (RFC 6146) from its IPv6 hosts to the router's own NAT of IPv4. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Lab } from './lab.ts'
import type { Program } from './program.ts'
import type { Router } from './router.ts'

/**
 * No address of the lab is a global one: those have no place in the well-known prefix (RFC 6052
 * §3.1), and tayga drops them there.
 */
const PREFIX = '2001:db8:64::'
/** What tayga gives each IPv6 host; the router's NAT hides it. */
const POOL = '192.168.255'
const DEVICE = 'nat64'

/** What a host behind it takes for /etc/hosts: as its DNS64 says it (RFC 7050 §3). */
export function hostsOfNat64(lab: Lab): string {
  const path = join(lab.folder, 'nat64-hosts')
  writeFileSync(path, `127.0.0.1 localhost\n${PREFIX}c000:aa ipv4only.arpa\n${PREFIX}c000:ab ipv4only.arpa\n`)
  return path
}

/** Whether an address is one of IPv4 in its prefix. */
export const isInNat64 = (ip: string): boolean => ip.startsWith(PREFIX)

/** Resolves when it translates. */
export async function startNat64(lab: Lab, { name }: Router): Promise<Program> {
  const folder = join(lab.folder, `${name}-tayga`)
  mkdirSync(folder)
  const file = join(folder, 'tayga.conf')
  const lines = [`tun-device ${DEVICE}`, `ipv4-addr ${POOL}.1`, `prefix ${PREFIX}/96`, `dynamic-pool ${POOL}.0/24`]
  writeFileSync(file, `${[...lines, `data-dir ${folder}`].join('\n')}\n`)
  lab.names.exec(name, 'tayga', ['--mktun', '-c', file])
  lab.names.ip(name, `link set ${DEVICE} up`)
  lab.names.ip(name, `route add ${POOL}.0/24 dev ${DEVICE}`)
  lab.names.ip(name, `-6 route add ${PREFIX}/96 dev ${DEVICE}`)
  // Into a pipe it says all in the end.
  const program = lab.start('tayga', name, ['stdbuf', '-oL', 'tayga', '-d', '-c', file])
  await program.until('it translates', ({ text }) => String(text).includes('Dynamic pool'))
  return program
}
