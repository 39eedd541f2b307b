/**
 * What a peer finds out from a STUN server that somebody else wrote: coturn (Debian's package), on
 * loopback addresses.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateIdentity } from '@showchain/crypto'
import { needsTool } from '@showchain-tooling/vitest/needs'
import { expect, onTestFinished, test } from 'vitest'
import { type NatReport, Peer } from '../../src/index.ts'
import { openUdp } from '../../src/runtime/index.ts'

const HERE = '127.0.0.1'
const THERE = '127.0.0.2'
/** Debian's package coturn. */
const SERVER = 'turnserver'
const needsCoturn = needsTool(SERVER, 'coturn')

/** Two ports that are free at both addresses. */
async function freePorts(): Promise<readonly [number, number]> {
  const sockets = await Promise.all([HERE, HERE].map((host) => openUdp({ listen: [{ host, port: 0 }] })))
  const ports = sockets.map(({ localEndpoints }) => localEndpoints[0]?.port as number)
  await Promise.all(sockets.map((socket) => socket.close()))
  return ports as unknown as readonly [number, number]
}

/** A coturn that listens; ended with the test. */
async function coturn(addresses: readonly string[]): Promise<{ readonly host: string; readonly port: number }> {
  const [port, other] = await freePorts()
  const folder = await mkdtemp(join(tmpdir(), 'showchain-coturn-'))
  const child: ChildProcess = spawn(
    SERVER,
    [
      ...['-v', '-n', ...addresses.flatMap((ip) => ['-L', ip]), '--allow-loopback-peers'],
      ...['-p', `${port}`, '--alt-listening-port', `${other}`],
      ...['--no-auth', '--no-tls', '--no-dtls', '--no-tcp', '--no-tcp-relay', '--no-cli', '--log-file', 'stdout'],
      ...['--pidfile', join(folder, 'pid'), '-b', join(folder, 'db'), '--no-dynamic-ip-list', '--no-dynamic-realms'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await rm(folder, { recursive: true })
  })
  await new Promise<void>((resolve, reject) => {
    let text = ''
    child.once('exit', (code) => reject(new Error(`turnserver ended with ${code}: ${text}`)))
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        text += chunk.toString()
        // After the lines of its listeners.
        if (text.includes('Total General servers')) resolve()
      })
  })
  return { host: HERE, port }
}

async function reportOf(server: { readonly host: string; readonly port: number }): Promise<NatReport> {
  const peer = await Peer.open({
    identity: await generateIdentity(),
    listen: [{ host: HERE }],
    addressPolicy: 'lab',
    stunServers: [server],
  })
  onTestFinished(() => peer.close())
  return peer.nat ?? new Promise((resolve) => peer.on('nat', resolve))
}

test('coturn with two addresses shows that nothing is in between', needsCoturn, async () => {
  const report = await reportOf(await coturn([HERE, THERE]))
  expect(report).toMatchObject({ natted: false, mapping: 1, filtering: 1, type: 'T1', notes: [] })
  expect(report.mapped?.ip).toBe(HERE)
})

test('coturn with one address cannot tell what the filter does', needsCoturn, async () => {
  const report = await reportOf(await coturn([HERE]))
  expect(report).toMatchObject({ natted: false, filtering: 0, type: undefined })
  expect(report.notes.length).toBeGreaterThan(0)
})
