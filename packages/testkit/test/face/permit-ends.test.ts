/** A peer says before the permit of its relay ends: once, a day before, by the wall clock. */
import { diagnose, Peer, type RelayEvent } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { permitTicket } from '@showchain/server/runtime'
import { formatTicket, parseTicket } from '@showchain/wire'
import { expect, test } from 'vitest'
import { Internet, type SimRelay } from '../../src/index.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

interface Scene {
  readonly internet: Internet
  readonly relay: SimRelay
  readonly peer: Peer
  /** What it said of its permit. */
  readonly said: readonly RelayEvent[]
  /** Unix milliseconds, of which the permit has whole seconds. */
  readonly until: number
  pass(ms: number): Promise<void>
  /** Its wall clock alone. */
  step(ms: number): void
}

async function played(seed: string, play: (internet: Internet) => Promise<void>): Promise<void> {
  await Internet.run(seed, { latency: duration(10) }, play)
}

/** @param left milliseconds that its permit is good for when the peer opens */
function scene(seed: string, left: number, play: (scene: Scene) => Promise<void>): Promise<void> {
  return played(seed, async (internet) => {
    const relay = await internet.relay()
    const runtime = internet.runtime(internet.host('laptop'))
    const { clock } = internet.sim
    const until = clock.unixMs() + left
    const said: RelayEvent[] = []
    const relays = [permitTicket(relay.identity, relay.ticket, { untilMs: until }, runtime)]
    const peer = await Peer.open({ identity: internet.sim.identity('laptop'), relays, runtime })
    peer.on('relay', (event) => event.state === 'expiring' && said.push(event))
    await peer.registered()
    const pass = (ms: number): Promise<void> => internet.wait(duration(ms))
    await play({ internet, relay, peer, said, until, pass, step: (ms) => clock.stepWallClock(duration(ms)) })
    await peer.close()
  })
}

test('a day before, and not again', () =>
  scene('permit a day before', DAY + 2 * HOUR, async ({ relay, peer, said, until, pass }) => {
    expect(peer.inspect().relays).toMatchObject([{ relay: relay.identity.id, permitUntil: until }])
    await pass(2 * HOUR - MINUTE)
    expect(said).toEqual([])
    await pass(MINUTE)
    const reason = 'the permit in its ticket ends in 24 h: ask whoever runs it for a new ticket'
    const { id } = relay.identity
    expect(said).toEqual([{ relay: id, at: relay.endpoint, state: 'expiring', until, reason }])
    await pass(2 * HOUR)
    await relay.kill()
    await pass(MINUTE)
    relay.start()
    await pass(10 * MINUTE)
    expect(peer.inspect().relays).toMatchObject([{ state: 'registered' }])
    expect(said).toHaveLength(1)
  }))

test.each([
  [23 * HOUR, '22 h'],
  [119.5 * MINUTE, '119 min'],
  [90_000, '1 min'],
  [59_000, 'less than a minute'],
])('at once when it opens later: %d ms', (left, words) =>
  scene(`permit ${left}`, left, async ({ said, pass }) => {
    await pass(1000)
    expect(said).toMatchObject([{ reason: expect.stringContaining(`ends in ${words}:`) }])
  }),
)

test('never of one that is over, which its relay says', () =>
  scene('permit over', -1000, async ({ said, pass }) => {
    await pass(HOUR)
    expect(said).toEqual([])
  }))

test('within an hour when a host has slept, or its clock was set', () =>
  scene('permit slept', 3 * DAY, async ({ said, pass, step }) => {
    await pass(HOUR / 2)
    step(2 * DAY + HOUR)
    await pass(HOUR)
    expect(said).toMatchObject([{ state: 'expiring' }])
  }))

test('of a relay that does not answer only when it does', () =>
  played('permit unanswered', async (internet) => {
    const relay = await internet.relay()
    await relay.kill()
    const runtime = internet.runtime(internet.host('laptop'))
    const ticket = permitTicket(relay.identity, relay.ticket, { untilMs: runtime.clock.unixMs() + DAY }, runtime)
    const peer = await Peer.open({ identity: internet.sim.identity('laptop'), relays: [ticket], runtime })
    const states: string[] = []
    peer.on('relay', ({ state }) => states.push(state))
    await internet.wait(duration(5 * MINUTE))
    expect(states).not.toContain('expiring')
    relay.start()
    await internet.wait(duration(5 * MINUTE))
    expect(states.slice(-2)).toEqual(['registered', 'expiring'])
    await peer.close()
  }))

test('of a permit in a form that only its relay reads nothing is said', () =>
  played('permit of another form', async (internet) => {
    const relay = await internet.relay()
    const runtime = internet.runtime(internet.host('laptop'))
    const ticket = formatTicket({ ...parseTicket(relay.ticket), permit: 'AgAA' })
    const peer = await Peer.open({ identity: internet.sim.identity('laptop'), relays: [ticket], runtime })
    const states: string[] = []
    peer.on('relay', ({ state }) => states.push(state))
    await internet.wait(duration(HOUR))
    expect(states).toEqual(['registered'])
    expect(peer.inspect().relays).toMatchObject([{ permitUntil: undefined }])
    await peer.close()
  }))

test.each([
  [90 * DAY, 'good', 'holds for 89 days.'],
  [DAY + HOUR, 'good', 'holds for 24 h.'],
  [DAY, 'bad', 'ends in 23 h.'],
  [-DAY, 'bad', 'has run out.'],
] as const)('a diagnosis says how long it holds: %d ms', (left, verdict, words) =>
  played(`permit diagnosed ${left}`, async (internet) => {
    const relay = await internet.relay()
    const runtime = internet.runtime(internet.host('laptop'))
    const ticket = permitTicket(relay.identity, relay.ticket, { untilMs: runtime.clock.unixMs() + left }, runtime)
    const asked = { identity: internet.sim.identity('doctor'), relays: [ticket], runtime }
    const found = await internet.settle(diagnose(asked))
    const advice = verdict === 'good' ? undefined : 'Ask whoever runs the relay for a new ticket.'
    expect(found.filter(({ check }) => check === 'permit')).toMatchObject([
      { verdict, found: expect.stringContaining(words), ...(advice && { advice }) },
    ])
    expect(found.find(({ check }) => check === 'relay')?.verdict).toBe('good')
  }),
)
