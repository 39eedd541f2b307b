/**
 * The relay's STUN as others see it: Debian's `stun` (package stun-client, RFC 3489) and coturn's
 * `turnutils_stunclient` and `turnutils_natdiscovery` (RFC 5780), on loopback addresses.
 */
import { execFile } from 'node:child_process'
import { openUdp } from '@showchain/client/runtime'
import { generateIdentity } from '@showchain/crypto'
import { Relay } from '@showchain/server/runtime'
import { needsTool } from '@showchain-tooling/vitest/needs'
import { describe, expect, test } from 'vitest'

const HERE = '127.0.0.1'
const THERE = '127.0.0.2'
/** A tool that waits for answers that do not come gives up by itself before that. */
const TOOL_TIMEOUT_MS = 30_000

/** Runs a tool to its end, whatever its exit code. */
const run = (tool: string, ...args: readonly string[]): Promise<{ readonly text: string }> =>
  new Promise((resolve) => {
    execFile(tool, args, { timeout: TOOL_TIMEOUT_MS }, (_error, stdout, stderr) => resolve({ text: stdout + stderr }))
  })

/** A port that is free at both addresses. */
async function freePort(): Promise<number> {
  for (;;) {
    const here = await openUdp({ listen: [{ host: HERE, port: 0 }] })
    const port = here.localEndpoints[0]?.port as number
    const there = await openUdp({ listen: [{ host: THERE, port }] }).catch(() => undefined)
    await Promise.all([here.close(), there?.close()])
    if (there !== undefined) return port
  }
}

/** Two addresses with two ports each, or one of each. */
async function relayWith(full: boolean): Promise<{ readonly relay: Relay; readonly port: number }> {
  const [port, other] = [await freePort(), await freePort()]
  const alternates = [
    { host: HERE, port: other },
    { host: THERE, port },
    { host: THERE, port: other },
  ]
  const relay = await Relay.open({
    identity: await generateIdentity(),
    listen: [{ host: HERE, port }],
    stunAlternates: full ? alternates : [],
  })
  return { relay, port }
}

function withTool(tool: string, name: string, play: () => Promise<void>): void {
  test(name, { timeout: 2 * TOOL_TIMEOUT_MS, ...needsTool(tool, tool === 'stun' ? 'stun-client' : 'coturn') }, play)
}

describe('a relay with two addresses and two ports', () => {
  withTool('turnutils_natdiscovery', 'natdiscovery finds no translation, and no filter', async () => {
    const { relay, port } = await relayWith(true)
    const { text } = await run('turnutils_natdiscovery', '-m', '-f', '-L', HERE, '-p', String(port), HERE)
    expect(text).toMatch(/NAT with Endpoint Independent Mapping|No NAT/)
    expect(text).toMatch(/Endpoint Independent Filtering/)
    await relay.close()
  })

  withTool('stun', 'stun (RFC 3489) finds that the host is open', async () => {
    const { relay, port } = await relayWith(true)
    const { text } = await run('stun', `${HERE}:${port}`)
    expect(text).toMatch(/Primary: Open/)
    await relay.close()
  })
})

describe('a relay with one address and one port', () => {
  withTool('turnutils_stunclient', 'stunclient learns its address', async () => {
    const { relay, port } = await relayWith(false)
    const { text } = await run('turnutils_stunclient', '-p', String(port), HERE)
    expect(text).toMatch(/UDP reflexive addr: 127\.0\.0\.1:\d+/)
    await relay.close()
  })

  // What `stun` says of the NAT means nothing here: it takes a 420 for the answer that it did not
  // get.
  withTool('stun', 'stun learns its address, and is refused what cannot be honoured', async () => {
    const { relay, port } = await relayWith(false)
    const { text } = await run('stun', `${HERE}:${port}`, '-v')
    expect(text).toMatch(/MappedAddress = 127\.0\.0\.1:\d+/)
    expect(text).toMatch(/ErrorCode = 4 20/)
    await relay.close()
  })
})
