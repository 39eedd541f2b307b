/**
 * Discovers the NAT type of a router by independent software: coturn's `turnutils_natdiscovery` and
 * server.
 */
import { execFile } from 'node:child_process'
import type { Host } from './lab-options.ts'
import type { Namespaces } from './namespaces.ts'
import type { NatKind } from './rules.ts'

/** The tool waits three seconds for each response that a NAT filters. */
const TIMEOUT_MS = 60_000

const WORDS = {
  'Endpoint Independent': 'EI',
  'Address Dependent': 'AD',
  'Address and Port Dependent': 'APD',
} as const
type Words = keyof typeof WORDS
export type Behaviour = `${(typeof WORDS)[Words]}/${(typeof WORDS)[Words]}`

/** docs/protocol.md, Terms: mapping and filtering of each NAT type. */
export const BEHAVIOUR: Readonly<Record<NatKind, Behaviour>> = { T1: 'EI/EI', T2: 'EI/AD', T3: 'EI/APD', T4: 'APD/APD' }

/** @throws Error when the tool finds no NAT, or an unknown behaviour */
export async function discover(names: Namespaces, host: Host, server: string): Promise<Behaviour> {
  const args = ['netns', 'exec', names.nameOf(host.name), 'turnutils_natdiscovery', '-m', '-f', server]
  const text = await new Promise<string>((resolve, reject) => {
    execFile('ip', args, { timeout: TIMEOUT_MS }, (error, stdout, stderr) =>
      error === null ? resolve(stdout + stderr) : reject(error),
    )
  })
  const [mapping, filtering] = ['Mapping', 'Filtering'].map((what) => {
    const found = Object.keys(WORDS).filter((words) => text.includes(`NAT with ${words} ${what}!`))
    return found.length === 1 ? WORDS[found[0] as Words] : undefined
  })
  if (mapping === undefined || filtering === undefined) throw new Error(`natdiscovery found no behaviour:\n${text}`)
  return `${mapping}/${filtering}`
}
