/** Two hosts on a bridge, and nothing else: no router, relay or DNS. They find each other by an id alone. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Island } from '../island.ts'
import { type Lab, PEER_PROGRAM } from '../lab.ts'
import type { Host } from '../lab-options.ts'
import type { Program } from '../program.ts'
import { isOn, type Scenario } from '../scenario.ts'

/** For a dial: programs take longer to start on a machine that is busy. */
const WITHIN_SECONDS = 1
const DIAL = fileURLToPath(new URL('../island-process.js', import.meta.url))

/** Bytes of a capture without packets. */
const PCAP_HEADER = 24

/** Reads what the network says, answers for its own host, and lists what it knows when it gets SIGUSR1. */
const avahiOf = (family: 4 | 6): string => `[server]
host-name=listener
use-ipv4=${family === 4 ? 'yes' : 'no'}
use-ipv6=${family === 6 ? 'yes' : 'no'}
enable-dbus=no
[publish]
publish-workstation=no
`

const showchain = (lab: Lab, { name }: Host, args: readonly string[]): Program =>
  lab.start(`showchain ${args[0]}`, name, [process.execPath, PEER_PROGRAM, ...args, '--json'])

async function avahi(lab: Lab, { name }: Host, family: 4 | 6): Promise<Program> {
  const configuration = join(lab.folder, 'avahi.conf')
  writeFileSync(configuration, avahiOf(family))
  const flags = ['--no-drop-root', '--no-chroot', '--no-rlimits', '--debug', '-f', configuration]
  // It writes its number there, and refuses to run beside another.
  const run = `mount -t tmpfs tmpfs /run && mkdir -p /run/avahi-daemon && exec avahi-daemon ${flags.join(' ')} 2>&1`
  const program = lab.start('avahi', name, ['unshare', '--mount', 'sh', '-c', run])
  await program.until('it listens', ({ text }) => String(text).includes('Server startup complete'))
  return program
}

/** Captures what a host hears. @returns ends it, and reads what it wrote */
async function captured(lab: Lab, { name }: Host, filter: readonly string[]): Promise<() => Promise<Buffer>> {
  const pcap = join(lab.folder, `${name}.pcap`)
  const capture = lab.start('tcpdump', name, ['tcpdump', '-U', '-i', 'eth0', '-w', pcap, ...filter], true)
  await capture.until('it captures', ({ text }) => String(text).includes('listening on'))
  return async () => {
    await capture.kill()
    return readFileSync(pcap)
  }
}

function island(name: string, title: string, family: 4 | 6): Scenario {
  return {
    ...{ name, title },
    needs: { 'avahi-daemon': 'avahi-daemon' },
    async run({ lab }) {
      const island = new Island(lab, name, family)
      const [from, to, third] = [island.host(), island.host(), island.host()]
      const listener = await avahi(lab, third, family)
      const listen = await captured(lab, third, ['udp', 'port', '5353'])
      const double =
        family === 6 && (await captured(lab, island.double(to, from), ['udp', 'and', 'not', 'port', '5353']))
      const waiting = showchain(lab, to, ['listen', '--ephemeral', '--echo'])
      const { ticket } = await waiting.until('it has a ticket', ({ event }) => event === 'ticket')
      const id = /^showchain:([^?]+)/.exec(String(ticket))?.[1] as string
      const caller = showchain(lab, from, ['connect', id, '--linger', '3600'])
      await caller.until('it is connected', isOn('direct'))
      caller.writeLine('hello')
      await caller.until('its line was echoed', ({ event, text }) => event === 'message' && text === 'hello')
      const dial = lab.start('dial', from.name, [process.execPath, DIAL, id])
      const seconds = Number((await dial.until('it has dialled', ({ event }) => event === 'dialled')).seconds)
      const nobody = showchain(lab, from, ['ping', createHash('sha256').update('nobody').digest('base64url')])
      const code = await nobody.ended
      const heard = (await listen()).toString('latin1')
      if (double !== false && (await double()).length > PCAP_HEADER)
        throw new Error('a host that has the same address on another interface was sent to')
      const instances = [...new Set(heard.match(/[0-9a-f]{16}(?=\n_showchain)/g))]
      if (instances.length !== 2) throw new Error(`the network heard of ${instances.join(', ')}`)
      const bytes = Buffer.from(id, 'base64url')
      for (const [what, part] of [
        ['as text', id.slice(0, 8)],
        ['as bytes', bytes.subarray(0, 8).toString('latin1')],
        ['as digits', bytes.toString('hex').slice(0, 12)],
      ] as const)
        if (heard.includes(part)) throw new Error(`the network heard the id ${what}`)
      listener.child.kill('SIGUSR1')
      await listener.until('it says what it knows', ({ text }) => String(text).includes('_showchain._udp'))
      const known = listener.events.map(({ text }) => text).join('\n')
      if (known.includes(id.slice(0, 8))) throw new Error(`avahi knows the id\n${known}`)
      if (code !== 3) throw new Error(`a ping of nobody exited with ${code}\n${nobody.transcript()}`)
      const { path } = (await dial.until('it has dialled', ({ event }) => event === 'dialled')) as { path?: unknown }
      if (JSON.stringify(path).includes('socket')) throw new Error(`a route is told: ${JSON.stringify(path)}`)
      if (seconds > WITHIN_SECONDS) throw new Error(`the dial took ${seconds.toFixed(2)} s`)
      return `direct ${seconds.toFixed(2)} s after the dial began; avahi and tcpdump saw ${instances[0]}, and nothing of the id`
    },
  }
}

export const ISLAND: readonly Scenario[] = [
  island('island', 'two hosts without router, relay and DNS, by an id alone; avahi and tcpdump listen', 4),
  island('island-v6', 'the same with link-local addresses of IPv6 alone', 6),
]
