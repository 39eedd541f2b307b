/** What the tests of fleets share: NATS servers, relays of one identity, and peers at them, as processes. */
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Connection, Peer } from '@showchain/client'
import { generateIdentity } from '@showchain/crypto'
import { formatTicket, parseTicket } from '@showchain/wire'
import { Folder, Program } from '@showchain-tooling/vitest/programs'
import { afterAll, afterEach } from 'vitest'
import { startNats as natsAt } from './nats.ts'

const BIN = fileURLToPath(new URL('../bin/showchain-relay.js', import.meta.url))

export interface FleetLab {
  readonly folder: Folder
  /** What ends what a test has started, the last one first. */
  readonly ends: (() => unknown)[]
  startNats(port: number, args?: readonly string[]): Promise<ChildProcess>
  /** @returns the path of a fleet's secret */
  secretFile(name?: string): string
  /** A relay with the identity of this lab, on a port of its own. */
  startRelay(args: readonly string[], environment?: Readonly<Record<string, string>>): Program
  /** What an operator says by a control socket. */
  ctl(socket: string, ...args: readonly string[]): ReturnType<Program['ended']>
  /** A peer that knows one node of the fleet. */
  peerAt(relay: Program): Promise<Peer>
}

/** For the whole file that calls it. */
export function fleetLab(): FleetLab {
  const folder = new Folder()
  const ends: (() => unknown)[] = []
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })
  afterAll(() => folder.remove())
  return {
    folder,
    ends,
    startNats: (port, args = []) => natsAt(port, args, ends),
    secretFile(name = 'fleet.secret') {
      const path = folder.write(name, `${randomBytes(32).toString('hex')}\n`)
      chmodSync(path, 0o600)
      return path
    },
    startRelay(args, environment = {}) {
      const own = ['--identity', folder.file('relay.pem'), '--create-identity', '--listen', '127.0.0.1:0']
      const operated = ['--metrics', '127.0.0.1:0', '--log-format', 'json']
      const program = new Program(BIN, [...own, ...operated, ...args], environment)
      ends.push(() => program.kill())
      return program
    },
    ctl(socket, ...args) {
      const program = new Program(BIN, ['ctl', '--control', socket, ...args])
      ends.push(() => program.kill())
      return program.ended()
    },
    async peerAt(relay) {
      const peer = await Peer.open({
        identity: await generateIdentity(),
        relays: [await relay.stdout.line(/./)],
        listen: [{ host: '127.0.0.1' }],
        addressPolicy: 'lab',
      })
      ends.push(() => peer.close())
      await peer.registered()
      return peer
    },
  }
}

/** Connects by the node of the one who asks: it knows neither the other's node nor its address. */
export async function connected(from: Peer, to: Peer, via?: 'relay-only'): Promise<readonly [Connection, Connection]> {
  const { relays } = parseTicket(from.ticket)
  const ticket = formatTicket({ id: to.id, relays, addresses: [] })
  const [mine, { value }] = await Promise.all([from.connect(ticket, via && { via }), to.incoming.next()])
  return [mine, value as Connection]
}

/** From a relay's port for operators. */
export async function fromPort(relay: Program, path: string): Promise<Response> {
  const { metrics } = JSON.parse(await relay.stderr.line(/"msg":"metrics"/)) as { metrics: { port: number } }
  return fetch(`http://127.0.0.1:${metrics.port}/${path}`)
}

/** @param name with its labels */
export async function metricOf(relay: Program, name: string): Promise<number> {
  const text = await (await fromPort(relay, 'metrics')).text()
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return Number(line?.slice(name.length))
}
