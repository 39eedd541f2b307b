import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { delimiter, join } from 'node:path'

export const needs = (there, missing) => (there ? {} : { skip: true, meta: { missing } })

const onPath = (tool) => (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, tool)))

export const needsTool = (tool, debianPackage = tool) =>
  needs(onPath(tool), `no ${tool} (apt-get install ${debianPackage})`)

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

export const needsIpv6 = needs(hasIpv6, 'no IPv6 loopback ::1 (sysctl net.ipv6.conf.lo.disable_ipv6=0)')
