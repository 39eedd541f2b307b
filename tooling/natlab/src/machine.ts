/** The requirements of the lab, and how it runs system tools. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** System tools take milliseconds; this is for one that hangs. */
const TOOL_TIMEOUT_MS = 20_000

/** Tools, and the Debian packages that provide them. */
const TOOLS = { ip: 'iproute2', nft: 'nftables', turnserver: 'coturn', turnutils_natdiscovery: 'coturn' } as const

export const isInstalled = (tool: string): boolean =>
  [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((folder) => existsSync(join(folder, tool)))

/** The first requirement that is not met, in one line; undefined when the lab can run. */
export function missing(): string | undefined {
  if (process.platform !== 'linux') return 'the NAT lab needs Linux: its NATs are the kernel’s'
  if (process.getuid?.() !== 0) return 'the NAT lab needs root: it creates network namespaces'
  const packages = Object.entries(TOOLS).flatMap(([tool, name]) => (isInstalled(tool) ? [] : [name]))
  if (packages.length > 0)
    return `the NAT lab needs Debian's ${[...new Set(packages)].join(', ')}: apt-get install them`
  return undefined
}

/** Runs a tool and returns its stdout. @throws Error with its stderr */
export function run(tool: string, args: readonly string[], input = ''): string {
  try {
    const stdio = ['pipe', 'pipe', 'pipe'] as const
    return execFileSync(tool, args, { input, timeout: TOOL_TIMEOUT_MS, encoding: 'utf8', stdio: [...stdio] })
  } catch (error) {
    const { stderr } = error as { readonly stderr?: string }
    throw new Error(`${tool} ${args.join(' ')}: ${stderr || (error as Error).message}`)
  }
}

/**
 * `FragCreates` of /proc/net/snmp, whose first two lines are the names and the values of IP's
 * counters.
 */
export function fragmentsCreated(snmp: string): number {
  const [names = [], values = []] = snmp.split('\n').map((line) => line.split(' '))
  return Number(values[names.indexOf('FragCreates')])
}

/** What comes before a command, so that it has this file of hosts. */
export const withHosts = (path: string): readonly string[] => [
  ...['sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', path],
]
