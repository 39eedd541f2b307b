/** What an operator's Prometheus is told. */
import { spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { RELAY_REFUSALS } from '@showchain/server'
import { needs, needsTool } from '@showchain-tooling/vitest/needs'
import { Folder } from '@showchain-tooling/vitest/programs'
import { describe, expect, test, vi } from 'vitest'
import { kernelDrops } from '../src/kernel-drops.ts'
import { OperatedRelay, sendRelayed } from './operator.ts'

/** Of Debian's package prometheus. */
const PROMTOOL = 'promtool'
const BYTES = 100_000

const samplesOf = (text: string): readonly string[] => text.split('\n').filter((line) => /^[a-z]/.test(line))

test('what is forwarded is counted by direction and kind', async () => {
  await using relay = await OperatedRelay.start()
  await using alice = await relay.peer()
  await using bob = await relay.peer()
  await sendRelayed(alice, bob, BYTES)
  for (const direction of ['in', 'out']) {
    const forwarded = await relay.sample(`showchain_relay_bytes_total{direction="${direction}",kind="channel"}`)
    expect(forwarded).toBeGreaterThan(BYTES)
    expect(await relay.sample(`showchain_relay_datagrams_total{direction="${direction}"}`)).toBeGreaterThan(0)
  }
  expect(await relay.sample('showchain_relay_bindings')).toBe(2)
  expect(await relay.sample('showchain_relay_sessions')).toBeGreaterThan(0)
  expect(await relay.sample('showchain_relay_registrations_total')).toBeGreaterThanOrEqual(2)
  expect(await relay.sample('showchain_relay_verify_duration_seconds_count')).toBeGreaterThanOrEqual(2)
  expect(await relay.sample('showchain_relay_verify_duration_seconds_sum')).toBeGreaterThan(0)
})

test('refusals have their reason, and labels no other values than those that are there from the start', async () => {
  await using relay = await OperatedRelay.start()
  const before = await relay.metrics()
  const reasons = [...before.matchAll(/^showchain_relay_refusals_total\{reason="(\w+)"\} 0$/gm)].map(
    ([, reason]) => reason,
  )
  expect(reasons).toHaveLength(RELAY_REFUSALS.length)
  const { port } = relay
  const socket = createSocket('udp4')
  for (let sent = 0; sent < 3; sent++) socket.send(Buffer.alloc(40), port, '127.0.0.1')
  const name = 'showchain_relay_refusals_total{reason="refused"}'
  await vi.waitFor(async () => expect(await relay.sample(name)).toBe(3), { timeout: 5000 })
  socket.close()
  const names = (text: string): readonly string[] => samplesOf(text).map((line) => line.slice(0, line.lastIndexOf(' ')))
  const own = (text: string): readonly string[] => names(text).filter((each) => each.startsWith('showchain_'))
  expect(own(await relay.metrics())).toEqual(own(before))
})

test('says which release runs, on what', async () => {
  await using relay = await OperatedRelay.start()
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  const text = await relay.metrics()
  expect(text).toContain(`showchain_relay_build_info{version="${version}",node="${process.version}"} 1\n`)
  expect(text).toMatch(/^showchain_relay_socket_info\{kind="(batched|dgram)"\} 1$/m)
})

test('promtool finds no fault, with a mailbox either', needsTool(PROMTOOL, 'prometheus'), async () => {
  await using relay = await OperatedRelay.start('--mailbox')
  const text = await relay.metrics()
  const { status, stdout, stderr } = spawnSync(PROMTOOL, ['check', 'metrics'], { input: text, encoding: 'utf8' })
  expect([status, stdout, stderr]).toEqual([0, '', ''])
  expect(text).toMatch(/^nodejs_active_resources\b/m)
  expect(text).toMatch(/^showchain_mailbox_table_entries\{table="slots"\} 0$/m)
})

test(
  'datagrams that the kernel dropped are counted',
  needs(process.platform === 'linux', 'no Linux, which counts them'),
  async () => {
    await using relay = await OperatedRelay.start()
    const { port } = relay
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve))
    // It reads nothing while it is stopped, and its buffer is finite.
    relay.program.child.kill('SIGSTOP')
    const large = Buffer.alloc(9000)
    const send = (): Promise<void> => new Promise((resolve) => socket.send(large, () => resolve()))
    for (let sent = 0; sent < 3000; sent++) await send()
    socket.close()
    relay.program.child.kill('SIGCONT')
    expect(await relay.sample('showchain_relay_kernel_drops_total')).toBeGreaterThan(0)
  },
)

describe('drops are those of the sockets of this process', () => {
  const header =
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops'
  const row = (inode: number, drops: number): string =>
    `  7: 0100007F:1130 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 ${inode} 2 0000000000000000 ${drops}`

  test('of both families, and of no other process', async () => {
    const proc = new Folder()
    mkdirSync(proc.file('self/fd'), { recursive: true })
    mkdirSync(proc.file('net'))
    symlinkSync('socket:[11]', proc.file('self/fd/3'))
    symlinkSync('socket:[12]', proc.file('self/fd/4'))
    symlinkSync('/dev/null', proc.file('self/fd/5'))
    writeFileSync(proc.file('net/udp'), [header, row(11, 5), row(99, 1000), ''].join('\n'))
    writeFileSync(proc.file('net/udp6'), [header, row(12, 20), ''].join('\n'))
    expect(await kernelDrops(proc.path)).toBe(25)
    proc.remove()
  })

  test('and are unknown where the system has no such list', async () => {
    const proc = new Folder()
    expect(await kernelDrops(proc.path)).toBeUndefined()
    mkdirSync(proc.file('self/fd'), { recursive: true })
    expect(await kernelDrops(proc.path)).toBeUndefined()
    proc.remove()
  })
})
