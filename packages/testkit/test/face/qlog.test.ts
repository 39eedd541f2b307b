import { expect, test } from 'vitest'
import { nat } from '../../src/index.ts'
import { connect, contents, type Face, face, readAll, streamOf, wait } from './bed.ts'
import { type QlogEvent, readQlog } from './qlog-schema.ts'

/** Plays a scenario in which both ends are recorded. */
async function recorded(seed: string, loss: number, scenario: (it: Face) => Promise<void>) {
  const recordings = { alice: '', bob: '' }
  const recorder = (name: keyof typeof recordings) => ({
    qlog: () => (text: string) => {
      recordings[name] += text
    },
  })
  await face(seed, scenario, {
    conditions: { loss },
    both: { behind: nat.T3(), ...recorder('alice') },
    bob: { behind: nat.T3(), ...recorder('bob') },
  })
  return { alice: readQlog(recordings.alice), bob: readQlog(recordings.bob) }
}

const named = <Name extends QlogEvent['name']>(events: readonly QlogEvent[], name: Name) =>
  events.filter((event): event is Extract<QlogEvent, { name: Name }> => event.name === name)

/** A transfer over a path that loses packets, after a move from the relay to a direct path. */
const transfer = async (it: Face): Promise<void> => {
  const ends = await connect(it)
  it.internet.until(() => ends.every(({ path }) => path.kind === 'direct'))
  const [ours, theirs] = await streamOf(ends)
  const sent = ours.write(contents(200_000)).then(() => ours.end())
  await Promise.all([sent, readAll(theirs)])
  await wait(it, 100)
  await ends[0].close()
}

test('a recording keeps the schema of qlog 0.3, and has both ends of every record', async () => {
  const { alice, bob } = await recorded('qlog', 0.02, transfer)
  expect([alice, bob].map(({ file }) => file.trace.vantage_point?.type).sort()).toEqual(['client', 'server'])
  const numbers = (events: readonly QlogEvent[], name: 'transport:packet_sent' | 'transport:packet_received') =>
    named(events, name).map(({ data }) => data.header.packet_number)
  const sent = numbers(alice.events, 'transport:packet_sent')
  expect(sent).toEqual(sent.map((_, index) => index))
  expect(sent.length).toBeGreaterThan(140)
  const received = new Set(numbers(bob.events, 'transport:packet_received'))
  expect(received.size).toBeLessThan(sent.length)
  expect(sent).toEqual(expect.arrayContaining([...received]))
  const lost = named(alice.events, 'recovery:packet_lost').map(({ data }) => data.header.packet_number)
  expect(lost.length).toBeGreaterThan(0)
  expect(lost.filter((number) => !received.has(number)).length).toBeGreaterThan(0)
})

test('it shows streams, acknowledgements, round trips and the window as they were', async () => {
  const { alice, bob } = await recorded('qlog figures', 0, transfer)
  const frames = named(alice.events, 'transport:packet_sent').flatMap(({ data }) => data.frames)
  const bytes = frames.reduce((sum, each) => sum + (each.frame_type === 'stream' ? each.length : 0), 0)
  expect(bytes).toBeGreaterThanOrEqual(200_000)
  const ranges = named(bob.events, 'transport:packet_sent')
    .flatMap(({ data }) => data.frames)
    .flatMap((each) => (each.frame_type === 'ack' ? (each.acked_ranges ?? []) : []))
  const sent = named(alice.events, 'transport:packet_sent').length
  expect(ranges.every(([from, to = from]) => from <= to && to < sent)).toBe(true)
  const metrics = named(alice.events, 'recovery:metrics_updated').map(({ data }) => data)
  const smoothed = metrics.flatMap(({ smoothed_rtt: rtt }) => rtt ?? [])
  // Two lines of 10 ms, there and back, and a little for each router.
  expect(Math.min(...smoothed)).toBeGreaterThan(20)
  expect(Math.max(...metrics.flatMap(({ bytes_in_flight: bytes }) => bytes ?? []))).toBeGreaterThan(1200)
  const times = alice.events.map(({ time }) => time)
  expect(times).toEqual([...times].sort((a, b) => a - b))
})

test('it shows the moves between paths, and who closed the connection', async () => {
  const { alice, bob } = await recorded('qlog paths', 0, async (it) => {
    const { network } = it.internet.sim
    const { ips } = it.relay
    network.filter = ({ source, destination }) => ips.includes(source.ip) || ips.includes(destination.ip)
    const ends = await connect(it)
    network.filter = undefined
    it.internet.until(() => ends.every(({ path }) => path.kind === 'direct'))
    await ends[0].close()
    await wait(it, 100)
  })
  const moves = [alice, bob].map(({ events }) => named(events, 'showchain:path_updated').map(({ data }) => data.new))
  expect(moves.map((each) => each.map(({ kind }) => kind))).toEqual([
    ['relay', 'direct'],
    ['relay', 'direct'],
  ])
  expect(
    [alice, bob].map(({ events }) => named(events, 'connectivity:connection_closed').map(({ data }) => data.owner)),
  ).toEqual([['local'], ['remote']])
})

test('a connection for which the application gives no sink is not recorded', async () => {
  const asked: string[] = []
  await face('not recorded', async (it) => void (await connect(it)), {
    both: {
      qlog: ({ remoteId }) => {
        asked.push(remoteId)
        return undefined
      },
    },
  })
  expect(asked.length).toBeGreaterThan(0)
})
