/** Networks that let no UDP through: the relay is reached by WebSocket, and UDP is taken up when it is there. */
import { fileURLToPath } from 'node:url'
import type { Lab } from '../lab.ts'
import type { Host } from '../lab-options.ts'
import type { Program } from '../program.ts'
import { endPair, isOn, isPath, type Pair, type Scenario } from '../scenario.ts'
import { simulatedWithoutUdp } from '../simulated.ts'
import { MIB, transferOn } from '../transfer.ts'

const PROXY_PORT = 3128
const PROXY = fileURLToPath(new URL('../proxy-process.js', import.meta.url))

/** docs/protocol.md, Datagrams over WebSocket: back on UDP, then an introduction after 1 s. */
const BACK_SECONDS = 7

interface Ends {
  readonly from: Host
  readonly to: Host
  /** Whether the one that listens has UDP. */
  readonly udp: boolean
  /** Of the program that connects. */
  readonly environment?: readonly string[]
}

/** A pair that is relayed. */
async function relayedPair(lab: Lab, relay: string, { from, to, udp, environment }: Ends): Promise<Pair> {
  const { program: listener, ticket } = await lab.listen(to, [relay], { discoversNat: udp })
  const caller = lab.connect(from, ticket, { args: ['--linger', '3600'], environment })
  await Promise.all([caller, listener].map((program) => program.until('its path is relay', isOn('relay'))))
  return { caller, listener }
}

async function echoes({ caller }: Pair): Promise<void> {
  caller.writeLine('hello')
  await caller.until('its line was echoed', ({ event, text }) => event === 'message' && text === 'hello')
}

/** A proxy on the public segment. @returns its address */
async function startProxy(lab: Lab): Promise<string> {
  const { name, ip } = lab.host()
  const proxy: Program = lab.start('proxy', name, [process.execPath, PROXY, `${ip}:${PROXY_PORT}`])
  await proxy.until('it listens', ({ text }) => text === 'the proxy listens')
  return ip
}

export const WITHOUT_UDP: readonly Scenario[] = [
  {
    name: 'blocked',
    title: 'one host without UDP, which is let through during a transfer of 64 MiB',
    async run(world) {
      const [before, after] = await simulatedWithoutUdp({ both: false, letThrough: true })
      if (before !== 'relay') throw new Error(`in the simulator the path is ${before}`)
      const relay = await world.lab.relay(1, { websocket: 'plain' })
      const router = await world.router({ kind: 'T2', blocked: true })
      const ends = { from: world.lab.host(router), to: world.lab.host(world.side('b', 'T2')), udp: true }
      const pair = await relayedPair(world.lab, relay.ticket, ends)
      await pair.caller.until('its path is by WebSocket', (event) => isPath(event) && event.path.over === 'websocket')
      let seconds = 0
      const seen = await transferOn(pair, after, 64 * MIB, {
        at: 0.2,
        async happen() {
          const started = performance.now()
          router.with({ blocked: false })
          await pair.caller.next('its path is direct', isOn('direct'))
          seconds = (performance.now() - started) / 1000
        },
      })
      await relay.program.kill()
      if (seconds > BACK_SECONDS) throw new Error(`direct after ${seconds.toFixed(1)} s only`)
      return `relayed by WebSocket; direct ${seconds.toFixed(1)} s after UDP was let through; ${seen}`
    },
  },
  {
    name: 'blocked-both',
    title: 'two hosts without UDP',
    async run(world) {
      const [path] = await simulatedWithoutUdp({ both: true, letThrough: false })
      const relay = await world.lab.relay(1, { websocket: 'plain' })
      const [a, b] = [
        await world.router({ kind: 'T2', blocked: true }),
        await world.router({ kind: 'T3', blocked: true }),
      ]
      const pair = await relayedPair(world.lab, relay.ticket, {
        ...{ from: world.lab.host(a), to: world.lab.host(b), udp: false },
      })
      await echoes(pair)
      await endPair(pair)
      await relay.program.kill()
      return `${path}, as simulated, by WebSocket at both ends`
    },
  },
  {
    name: 'proxy',
    title: 'a host whose network lets it reach a proxy alone, which lets CONNECT to port 443 through',
    needs: { openssl: 'openssl' },
    async run(world) {
      const [path] = await simulatedWithoutUdp({ both: false, letThrough: false })
      const relay = await world.lab.relay(1, { websocket: 'tls' })
      if (relay.ticket.includes('via=')) throw new Error(`the ticket is longer than it need be: ${relay.ticket}`)
      const proxy = await startProxy(world.lab)
      const router = (await world.router({ kind: 'T3' })).with({ reaches: proxy })
      const pair = await relayedPair(world.lab, relay.ticket, {
        ...{ from: world.lab.host(router), to: world.lab.host(world.side('b', 'T3')), udp: true },
        environment: [`HTTPS_PROXY=http://${proxy}:${PROXY_PORT}`, `NODE_EXTRA_CA_CERTS=${relay.certificate}`],
      })
      await echoes(pair)
      await endPair(pair)
      await relay.program.kill()
      return `${path}, as simulated, through the proxy and TLS`
    },
  },
]
