import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duration } from '@showchain/client/core'
import { needsTool } from '@showchain-tooling/vitest/needs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Internet, nat, Simulation, toPcap } from '../../src/index.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Alice says something to bob over each family. */
function talk(): Simulation {
  const sim = new Simulation('pcap')
  const alice = sim.host('alice', '192.0.2.1', '2001:db8::1').socket(4000)
  const bob = sim.host('bob', '192.0.2.2', '2001:db8::2').socket(5000)
  bob.onDatagrams(() => {})
  sim.advance(duration(1500))
  alice.send({ ip: '192.0.2.2', port: 5000 }, bytesOf('hello'))
  alice.send({ ip: '2001:db8::2', port: 5000 }, bytesOf('hello'))
  sim.advance(duration(100))
  return sim
}

/** Records of a file: seconds and microseconds, and the packet. */
function recordsOf(
  file: Uint8Array,
): readonly { readonly at: readonly [number, number]; readonly bytes: Uint8Array }[] {
  const view = new DataView(file.buffer)
  const records = []
  for (let offset = 24; offset < file.length; ) {
    const length = view.getUint32(offset + 8)
    const at = [view.getUint32(offset), view.getUint32(offset + 4)] as const
    records.push({ at, bytes: file.subarray(offset + 16, offset + 16 + length) })
    offset += 16 + length
  }
  return records
}

describe('a capture file', () => {
  test('says what it is: microseconds, version 2.4, raw IP', () => {
    expect(hex(toPcap([]))).toBe(`a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000065`.replaceAll(' ', ''))
  })

  test('has each packet with the time at which it was sent', () => {
    const epoch = Date.UTC(2030, 0, 1) / 1000
    expect(recordsOf(toPcap(talk().timeline.entries)).map(({ at }) => at)).toEqual([
      [epoch + 1, 500_000],
      [epoch + 1, 500_000],
    ])
  })

  test('has the headers that a UDP socket gives a datagram', () => {
    const [four, six] = recordsOf(toPcap(talk().timeline.entries)).map(({ bytes }) => hex(bytes))
    // Version 4, 33 bytes, DF, TTL 64, UDP; 4000 → 5000, 13 bytes; "hello".
    expect(four).toMatch(/^45000021000040004011....c0000201c00002020fa01388000d....68656c6c6f$/)
    expect(six).toMatch(
      new RegExp(
        `^60000000000d1140${'20010db8000000000000000000000001'}${'20010db8000000000000000000000002'}0fa01388000d....68656c6c6f$`,
      ),
    )
  })

  test('of one station has what it sent, and what arrived when it arrived', () => {
    const { entries } = talk().timeline
    const times = (at: string): readonly number[] => recordsOf(toPcap(entries, { at })).map((record) => record.at[1])
    expect(times('alice')).toEqual([500_000, 500_000])
    expect(times('bob')).toEqual([510_000, 510_000])
    expect(times('nobody')).toEqual([])
  })
})

const TCPDUMP = 'tcpdump'

test('tcpdump reads a whole scenario, and finds every checksum right', needsTool(TCPDUMP), async () => {
  const folder = await mkdtemp(join(tmpdir(), 'showchain-pcap-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const internet = await Internet.run('tcpdump', {}, async (it) => {
    await it.relay()
    const alice = await it.simPeer({ name: 'alice', behind: nat.T3() })
    await alice.connect(await it.simPeer({ name: 'bob', behind: nat.T4() }))
    it.advance(duration(60_000))
  })
  const file = join(folder, 'internet.pcap')
  await writeFile(file, Buffer.concat([internet.pcap(), toPcap(talk().timeline.entries).subarray(24)]))
  const text = execFileSync(TCPDUMP, ['-r', file, '-n', '-vv'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 26,
  })
  const packets = internet.sim.timeline.entries.filter((entry) => entry.type === 'packet' && entry.fate !== 'unbound')
  expect(packets.length).toBeGreaterThan(100)
  expect(text.match(/\[udp sum ok\]/g)).toHaveLength(packets.length + 2)
  expect(text).not.toMatch(/bad|incorrect|truncated/)
})
