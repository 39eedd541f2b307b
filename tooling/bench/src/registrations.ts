/**
 * Registrations: each one a challenge, a signature checked and one made. The machine alone, and a
 * relay on sockets.
 */
import type { Socket } from 'node:dgram'
import type { Endpoint } from '@showchain/wire'
import { type Actor, peerActors, relayActor } from './actors.ts'
import { Child } from './child.ts'
import type { Effort } from './effort.ts'
import { type FigureTable, type Findings, figure } from './figures.ts'
import { type Arithmetic, LoneRelay, verifyNow } from './lone-relay.ts'
import { closeAll, LOOPBACK, openSocket } from './loopback.ts'
import { PLACES, planSteps, type Step } from './registration-plan.ts'
import type { RelayRequest } from './relay-process.ts'

/**
 * The lone machine's clock moves on by this many ms with each registration: no peer is over its
 * rate.
 */
const STEP_GAP = 20
/** Far above what the benchmark does from the one address and the few peers that it has. */
const NO_RATE = 1_000_000
const NO_RATES = {
  requestsPerSecondPerSource: NO_RATE,
  requestBurstPerSource: NO_RATE,
  requestsPerSecondPerId: NO_RATE,
  requestBurstPerId: NO_RATE,
}
/** When nothing moved for so long, in ms, a datagram was lost. */
const PATIENCE = 300

export async function registrations(effort: Effort): Promise<Findings> {
  const relay = relayActor()
  const peers = await peerActors()
  return { tables: [await alone(relay, peers, effort), await onSockets(relay, peers, effort)] }
}

/** Ports from one place of a peer to its next: more than there are peers. */
const PEERS_APART = 100
const sourceOf = ({ source }: Actor, place: number): Endpoint => ({
  ...source,
  port: source.port + PEERS_APART * place,
})

async function alone(relay: Actor, peers: readonly Actor[], effort: Effort): Promise<FigureTable> {
  const real: Arithmetic = { verify: verifyNow, sign: (preimage) => relay.signNow(preimage) }
  const none: Arithmetic = { verify: () => true, sign: () => new Uint8Array(256) }
  const machine = (arithmetic: Arithmetic): LoneRelay =>
    new LoneRelay({ self: relay.identity.publicKey, arithmetic, unixMs: Date.now, limits: NO_RATES })
  const seconds: { first: number; again: number; rest: number }[] = []
  // The first round is the warm-up.
  for (let round = 0; round <= effort.samples; round++) {
    const plans = peers.map((peer) => ({ peer, steps: planSteps(peer, relay, effort.registrations) }))
    const fresh = machine(real)
    const first = registerAlone(fresh, plans, 0, 1)
    const again = registerAlone(fresh, plans, 1, effort.registrations)
    const plain = machine(none)
    registerAlone(plain, plans, 0, 1)
    const rest = registerAlone(plain, plans, 1, effort.registrations)
    if (round > 0) seconds.push({ first, again, rest })
  }
  const rows = [
    { name: 'a peer never seen: its key is imported', taken: seconds.map(({ first }) => first) },
    { name: 'a known peer from another address', taken: seconds.map(({ again }) => again) },
    { name: 'the same, all but the RSA', taken: seconds.map(({ rest }) => rest) },
  ]
  return {
    title: 'Registrations, the relay machine alone on one core',
    columns: ['what', 'registrations', 'time of each'],
    rows: rows.map(({ name, taken }) => ({
      name,
      cells: [
        figure(
          taken.map((each) => 1 / each),
          '/s',
        ),
        figure(
          taken.map((each) => each * 1e6),
          'µs',
        ),
      ],
    })),
    notes: ['One registration: 0x101 with key, 0x1F1, 0x101 with key and cookie, verified; 0x102, signed (RSA-2048).'],
  }
}

/** Steps `from` to `to` of every peer; the relay's seconds for each registration. */
function registerAlone(
  relay: LoneRelay,
  plans: readonly { readonly peer: Actor; readonly steps: readonly Step[] }[],
  from: number,
  to: number,
): number {
  let taken = 0
  for (let number = from; number < to; number++)
    for (const { peer, steps } of plans) {
      const { place, first, second } = steps[number] as Step
      const before = performance.now()
      const challenge = answerOf(relay, peer, place, first)
      const challenged = performance.now()
      const answer = second(challenge)
      const answered = performance.now()
      answerOf(relay, peer, place, answer)
      relay.pass(STEP_GAP)
      taken += challenged - before + (performance.now() - answered)
    }
  const seconds = taken / 1000
  const { registered } = relay.machine.counters()
  if (registered !== to * plans.length) throw new Error(`The relay registered ${registered} of ${to * plans.length}.`)
  return seconds / ((to - from) * plans.length)
}

function answerOf(relay: LoneRelay, peer: Actor, place: number, bytes: Uint8Array): Uint8Array {
  const answer = relay.receive(bytes, sourceOf(peer, place))
  if (answer === undefined) throw new Error('The relay is silent.')
  return answer
}

/** A peer with its sockets, and what it has to send. */
interface Lane {
  readonly sockets: readonly Socket[]
  readonly steps: readonly Step[]
}

interface Sample {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly lost: number
}

async function onSockets(relay: Actor, peers: readonly Actor[], effort: Effort): Promise<FigureTable> {
  const child = new Child('./relay-process.js')
  const sockets = new Map<Actor, readonly Socket[]>()
  const samples: Sample[] = []
  try {
    for (const peer of peers) sockets.set(peer, await Promise.all(Array.from({ length: PLACES }, openSocket)))
    const privateKey = relay.identity.toPem()
    const open: RelayRequest = { type: 'open', privateKey, knownKeys: [], limits: NO_RATES }
    const port = await child.ask<number>(open)
    const socketsOf = (peer: Actor): readonly Socket[] => sockets.get(peer) ?? []
    // The first round is the warm-up.
    for (let round = 0; round <= effort.samples; round++) {
      const lanes = peers.map((peer) => ({
        sockets: socketsOf(peer),
        steps: planSteps(peer, relay, effort.registrations),
      }))
      const cpuBefore = await child.ask<number>({ type: 'cpu' })
      const sample = await registerOn(lanes, port)
      const cpuSeconds = (await child.ask<number>({ type: 'cpu' })) - cpuBefore
      if (round > 0) samples.push({ ...sample, cpuSeconds })
    }
  } finally {
    await Promise.all([child.stop(), ...[...sockets.values()].map(closeAll)])
  }
  const each = peers.length * effort.registrations
  return {
    title: 'Registrations, on sockets, relay in its own process',
    columns: ['what', 'registrations', 'per core', 'CPU of each', 'sent again'],
    rows: [
      {
        name: 'known peers from other addresses',
        cells: [
          figure(
            samples.map(({ seconds }) => each / seconds),
            '/s',
          ),
          figure(
            samples.map(({ cpuSeconds }) => each / cpuSeconds),
            '/s',
          ),
          figure(
            samples.map(({ cpuSeconds }) => (cpuSeconds / each) * 1e6),
            'µs',
          ),
          String(samples.reduce((sum, { lost }) => sum + lost, 0)),
        ],
      },
    ],
    notes: [
      `${peers.length} peers at once, each waits for its 0x102 and signs on the other core. Per core: by the CPU time of the relay's process.`,
    ],
  }
}

/** Every peer goes through its steps, one at a time. */
function registerOn(lanes: readonly Lane[], port: number): Promise<Omit<Sample, 'cpuSeconds'>> {
  return new Promise((resolve) => {
    const states = lanes.map((lane) => ({ lane, number: 0, since: performance.now() }))
    type State = (typeof states)[number]
    let open = lanes.length
    let lost = 0
    const start = performance.now()

    const send = (state: State, challenge?: Uint8Array): void => {
      const step = state.lane.steps[state.number] as Step
      state.since = performance.now()
      const request = challenge === undefined ? step.first : step.second(challenge)
      state.lane.sockets[step.place]?.send(request, port, LOOPBACK)
    }
    const watch = setInterval(() => {
      for (const state of states) {
        if (state.number === state.lane.steps.length || performance.now() - state.since < PATIENCE) continue
        lost++
        send(state)
      }
    }, PATIENCE)
    for (const state of states) {
      const { steps, sockets } = state.lane
      for (const [place, socket] of sockets.entries())
        socket.on('message', (bytes) => {
          if (steps[state.number]?.place !== place) return
          if (bytes[1] === 0x01 && bytes[2] === 0xf1) return send(state, bytes)
          if (bytes[1] !== 0x01 || bytes[2] !== 0x02) return
          state.number++
          if (state.number < steps.length) return send(state)
          if (--open > 0) return
          clearInterval(watch)
          const seconds = (performance.now() - start) / 1000
          for (const { sockets: used } of lanes) for (const each of used) each.removeAllListeners('message')
          resolve({ seconds, lost })
        })
      send(state)
    }
  })
}
