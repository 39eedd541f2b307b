/** Bans of a fleet, as an operator gives them at one relay: real processes. */
import { generateIdentity } from '@showchain/crypto'
import { needsTool } from '@showchain-tooling/vitest/needs'
import type { Program } from '@showchain-tooling/vitest/programs'
import { describe, expect, test } from 'vitest'
import { connected, fleetLab } from './fleet-lab.ts'
import { freePort, NATS } from './nats.ts'
import { peerOf, refusalOf, said } from './relay-lab.ts'

const { folder, ends, startNats, secretFile, startRelay, ctl } = fleetLab()

const FLEET = /"msg":"a node of the fleet is there"/
/** Registered peers are gone within 10 s; and so long a node may take to hear what it missed. */
const HEARD = { timeout: 20_000, interval: 250 }

const controlOf = (node: number): string => folder.file(`ctl${node}`)
const bansAt = async (node: number): Promise<string> => (await ctl(controlOf(node), 'bans')).stdout

/** Nodes with these numbers, each of which knows the others. */
async function nodes(port: number, ...arguments_: readonly (readonly [number, ...string[]])[]) {
  const secret = secretFile()
  const start = ([node, ...more]: readonly [number, ...string[]]): Program => {
    const fleet = ['--fleet', `nats://127.0.0.1:${port}`, '--fleet-secret', secret, '--node', String(node)]
    return startRelay([...fleet, '--control', controlOf(node), ...more])
  }
  const relays: Program[] = []
  for (const each of arguments_) {
    const relay = start(each)
    await relay.stdout.line(/./)
    relays.push(relay)
  }
  await Promise.all(relays.map((each) => each.stderr.line(FLEET)))
  return { relays, start }
}

describe('a ban in a fleet', needsTool(NATS, NATS), () => {
  test('holds at all nodes, for who is registered and connected too, and for a node that starts again', {
    tags: ['long'],
  }, async () => {
    const port = await freePort()
    await startNats(port)
    const { relays, start } = await nodes(port, [1], [2])
    const [first, second] = relays as [Program, Program]
    const tickets = await Promise.all(relays.map((each) => each.stdout.line(/./)))
    const [one, banned] = await Promise.all([generateIdentity(), generateIdentity()])
    const a = await peerOf(one, tickets[0] as string)
    const b = await peerOf(banned, tickets[1] as string)
    ends.push(
      () => a.close(),
      () => b.close(),
    )
    await Promise.all([a.registered(), b.registered()])
    const across = await connected(a, b, 'relay-only')
    expect(await said(...across, 'across')).toBe('across')
    expect((await ctl(controlOf(2), 'list')).stdout).toMatch(new RegExp(`^${banned.id} 127\\.0\\.0\\.1:\\d+ node 2$`))

    const lost = new Promise((resolve) => b.on('relay', ({ state }) => state === 'lost' && resolve(state)))
    expect(await ctl(controlOf(1), 'ban', banned.id, '--for', '7d')).toMatchObject({ code: 0 })
    await lost
    await expect.poll(() => refusalOf(banned, tickets[1] as string), HEARD).toMatch(/does not know you/)
    expect(await bansAt(2)).toMatch(`${banned.id} until 2`)

    first.child.kill('SIGKILL')
    await first.ended()
    await start([1]).stderr.line(FLEET)
    await expect.poll(() => bansAt(1), HEARD).toBe(await bansAt(2))

    expect(await ctl(controlOf(1), 'unban', banned.id)).toMatchObject({ code: 0 })
    await expect.poll(() => bansAt(2), HEARD).toBe('')
    await expect.poll(() => refusalOf(banned, tickets[1] as string), HEARD).toBe('registered')
    expect(second.child.exitCode).toBeNull()
  })

  test('holds at all workers, whichever relay it is given at, and is kept by all', { tags: ['long'] }, async () => {
    const port = await freePort()
    await startNats(port, ['-js', '-sd', folder.file('jetstream')])
    const keeps = ['--usage', 'nats', '--quota', 'totalDay=1G'] as const
    const { relays, start } = await nodes(port, [1, ...keeps], [8, '--workers', '2', ...keeps])
    expect(await ctl(controlOf(8), 'ban', '192.0.2.1')).toMatchObject({ code: 0 })
    await expect.poll(() => bansAt(1), HEARD).toBe('192.0.2.1')
    expect(await ctl(controlOf(1), 'ban', '192.0.2.2')).toMatchObject({ code: 0 })
    await expect.poll(() => bansAt(8), HEARD).toBe('192.0.2.1\n192.0.2.2')

    for (const relay of relays) relay.child.kill('SIGKILL')
    await Promise.all(relays.map((each) => each.ended()))
    await start([3, ...keeps]).stdout.line(/./)
    await expect.poll(() => bansAt(3), HEARD).toBe('192.0.2.1\n192.0.2.2')
  })
})
