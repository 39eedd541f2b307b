/** Many transfers at once between two hosts, each of a pair of peers of its own, while something happens. */
import { fileURLToPath } from 'node:url'
import type { Flow } from './flows-process.ts'
import type { Lab } from './lab.ts'
import type { Host } from './lab-options.ts'
import { withHosts } from './machine.ts'
import type { Program } from './program.ts'

const PROGRAM = fileURLToPath(new URL('../dist/flows-process.js', import.meta.url))
const MIB = 1024 * 1024

interface End {
  readonly host: Host
  /** A file of hosts for its program. */
  readonly hosts: string
}

export interface FlowsOptions {
  readonly from: End
  readonly to: End
  readonly count: number
  readonly relay: string
  /** Seconds without a byte at an end of any transfer, at most. */
  readonly most: number
  /** All transfers run from before it begins until after it has settled. */
  happen(): Promise<void>
}

/** @returns what was observed. @throws Error when a byte is missing or altered, or nothing came for too long */
export async function flows(lab: Lab, { from, to, count, relay, most, happen }: FlowsOptions): Promise<string> {
  const start = (role: 'listen' | 'dial', { host, hosts }: End): Program =>
    lab.start(role, host.name, [...withHosts(hosts), process.execPath, PROGRAM, role, String(count), relay])
  const [listener, caller] = [start('listen', to), start('dial', from)]
  const { tickets } = await listener.until('all are registered', isSaid('ready'))
  await caller.until('all are registered', isSaid('ready'))
  caller.writeLine(`to ${(tickets as readonly string[]).join(' ')}`)
  const both = (line: string): void => {
    for (const program of [listener, caller]) program.writeLine(line)
  }
  const untilBoth = (what: string, event: string) =>
    Promise.all([listener, caller].map((program) => program.until(what, isSaid(event))))
  await untilBoth('all transfers run', 'running')
  const begun = performance.now()
  both('measure')
  await happen()
  both('end')
  const seconds = (performance.now() - begun) / 1000
  const [there, back] = (await untilBoth('all transfers are over', 'done')).map(({ flows }) => flows as readonly Flow[])
  for (const [index, { sent, received }] of (there as readonly Flow[]).entries()) {
    const other = back?.[index] as Flow
    if (sent !== other.received || received !== other.sent) throw new Error(`transfer ${index} has another SHA-256`)
  }
  const all = [...(there as readonly Flow[]), ...(back as readonly Flow[])]
  const longest = all.reduce((worst, flow) => (flow.gap > worst.gap ? flow : worst))
  const flow = all.indexOf(longest) % count
  const [gap, until] = [longest.gap, longest.gapUntil].map((ms) => `${(ms / 1000).toFixed(2)} s`)
  if (longest.gap > most * 1000)
    throw new Error(
      `nothing came for ${gap} in one of ${count} transfers, until ${until} after they ran:\n${[listener, caller].map((program) => seenBy(program, flow)).join('\n')}`,
    )
  const mib = all.reduce((sum, { bytes }) => sum + bytes, 0) / MIB
  return [
    `${count} transfers ran for ${seconds.toFixed(0)} s`,
    `longest gap of all ${gap}`,
    `${mib.toFixed(0)} MiB, every SHA-256 the same at both peers`,
  ].join('; ')
}

/** What an end of one transfer saw. */
const seenBy = ({ name, events }: Program, flow: number): string =>
  events
    .filter((event) => event.event === 'seen' && event.flow === flow)
    .map((event) => `  ${name}: ${JSON.stringify(event)}`)
    .join('\n')

const isSaid =
  (name: string) =>
  ({ event }: { readonly event: string }): boolean =>
    event === name
