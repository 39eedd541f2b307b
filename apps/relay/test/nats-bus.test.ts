/** The bus of a fleet over a real NATS server that a proxy of the test stands before. */
import { once } from 'node:events'
import { createServer, connect as dial, type Socket } from 'node:net'
import { connect } from '@nats-io/transport-node'
import { needsTool } from '@showchain-tooling/vitest/needs'
import { pino } from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import { NatsBus } from '../src/nats-bus.ts'
import { freePort, NATS, startNats } from './nats.ts'

const log = pino({ level: 'silent' })
/** What a bus keeps, and far more messages than that. */
const BOUND = 32 * 1024 * 1024
const MESSAGE = new Uint8Array(32 * 1024)
const MANY = (2 * BOUND) / MESSAGE.length
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** Carries bytes to a port, until it is told to read no more. @returns its own port */
async function proxyTo(port: number): Promise<{ readonly port: number; pause(): void; resume(): void }> {
  const clients: Socket[] = []
  const server = createServer((client) => {
    const behind = dial(port, '127.0.0.1')
    for (const socket of [client, behind]) socket.on('error', () => {})
    client.pipe(behind).pipe(client)
    clients.push(client)
    ends.push(() => [client, behind].map((socket) => socket.destroy()))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  ends.push(() => server.close())
  return {
    port: (server.address() as { readonly port: number }).port,
    pause: () => clients.map((client) => client.pause()),
    resume: () => clients.map((client) => client.resume()),
  }
}

describe('the bus over NATS', needsTool(NATS, NATS), () => {
  test('keeps so much for a server that reads nothing and no more, and goes on when it reads', async () => {
    const port = await freePort()
    await startNats(port, [], ends)
    const proxy = await proxyTo(port)
    const servers = [{ at: `127.0.0.1:${proxy.port}`, tls: false }]
    const bus = new NatsBus({ servers, fleet: 'fleet_1', nodes: [1] }, log)
    ends.push(() => bus.close())
    await expect.poll(() => bus.publish(2, MESSAGE.subarray(0, 1)), { timeout: 10_000 }).toBe(true)

    proxy.pause()
    const other = await connect({ servers: `127.0.0.1:${port}` })
    ends.push(() => other.close())
    const sent = (): number => Array.from({ length: MANY }, () => bus.publish(2, MESSAGE)).filter(Boolean).length
    const first = sent()
    // Time for the server to answer whoever it hears.
    await other.flush()
    const accepted = (first + sent()) * MESSAGE.length
    expect(accepted).toBeGreaterThan(BOUND / 2)
    expect(accepted).toBeLessThanOrEqual(BOUND)

    proxy.resume()
    await expect.poll(() => bus.publish(2, MESSAGE), { timeout: 10_000 }).toBe(true)
  })
})
