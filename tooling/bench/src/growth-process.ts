/** A relay machine with so many peers and sessions: what a channel frame costs then, and what they take. */
import { limitGarbage } from '@showchain/server/runtime'
import { type Endpoint, encode, OP, type PeerId, type SessionId, sessionIdToBytes } from '@showchain/wire'
import { CHANNEL_HEADER_BYTES, writeChannelHeader } from '@showchain/wire/end-to-end'
import { serve } from './child.ts'
import { crowdedRelay, KIB, openSession, register, sourceOf, type Usage, usage } from './crowd.ts'
import type { LoneRelay } from './lone-relay.ts'
import { cpuSeconds } from './loopback.ts'
import { NO_FRAME_LIMITS } from './middle.ts'
import { type Visits, visitsOf } from './visits.ts'

export interface GrowthRequest {
  readonly bindings: number
  /** Each with two ends of its own. */
  readonly sessions: number
  /** Sessions that are busy, when few are. */
  readonly busy: number
  /** Of each kind in each round. */
  readonly frames: number
  readonly rounds: number
}

/** Bytes, seconds. */
export interface GrowthReport {
  readonly before: Usage
  /** With all bindings, then with all sessions, answers forgotten. */
  readonly bound: Usage
  readonly open: Usage
  readonly peak: number
  /** For each round: frames of all sessions at random, and of the busy ones. */
  readonly random: readonly number[]
  readonly few: readonly number[]
}

const FRAME_BYTES = 1200
/** Frames that come together, as many as a socket reads at once under load. */
const BATCH = 16
/** Datagrams that a kernel hands over were written just now: their memory is in the cache. */
const BUFFERS = 64
/** As many as a core can sign answers for: what a relay remembers of them for 15 s is part of what it takes. */
const REQUESTS_PER_SECOND = 2000
/** Virtual ms until the answers are forgotten. */
const SETTLING = 20_000
/** Every peer keeps its binding alive this often (docs/protocol.md, Keep-alive). */
const KEEP_ALIVE_INTERVAL = 15_000
/** A session whose ends and id are known, and what it says at first: the target's consent. */
interface Open {
  readonly id: SessionId
  readonly from: Endpoint
  readonly to: Endpoint
}

function grow({ bindings, sessions, busy, frames, rounds }: GrowthRequest): GrowthReport {
  const relay = crowdedRelay({ ...NO_FRAME_LIMITS, bindings: 2 * bindings, sessions: 2 * sessions })
  const before = usage()
  const places = Array.from({ length: bindings }, (_, number) => sourceOf(number))
  const ids: PeerId[] = []
  const passing = passingWith(relay, ids, places)
  for (const place of places) {
    passing(1000 / REQUESTS_PER_SECOND)
    ids.push(register(relay, place))
  }
  for (let passed = 0; passed < SETTLING; passed += KIB) passing(KIB)
  const bound = usage()
  const open = Array.from({ length: sessions }, (_, number): Open => {
    passing(1000 / REQUESTS_PER_SECOND)
    const [from, to] = [places[number] as Endpoint, places[sessions + number] as Endpoint]
    const id = openSession(relay, ids[number] as PeerId, ids[sessions + number] as PeerId, from)
    relay.receive(frameOf(id), to)
    return { id, from, to }
  })
  for (let passed = 0; passed < SETTLING; passed += KIB) passing(KIB)
  const all = usage()
  const { machine } = relay
  if (machine.stats().bindings !== bindings || machine.stats().sessions !== sessions)
    throw new Error(`The relay holds ${machine.stats().bindings} bindings and ${machine.stats().sessions} sessions.`)
  const [atRandom, among] = [visitsOf(sessions, frames), visitsOf(Math.min(busy, sessions), frames)]
  const [random, few]: [number[], number[]] = [[], []]
  for (let round = 0; round <= rounds; round++) {
    const taken = [pass(relay, open, atRandom), pass(relay, open, among)] as const
    // The first one warms up.
    if (round === 0) continue
    random.push(taken[0])
    few.push(taken[1])
  }
  return { before, bound, open: all, peak: process.resourceUsage().maxRSS * KIB, random, few }
}

function frameOf(session: SessionId): Uint8Array {
  const frame = new Uint8Array(FRAME_BYTES).fill(0x5a)
  writeChannelHeader(frame, sessionIdToBytes(session))
  return frame
}

/** Lets time pass, in which all that are registered keep their bindings alive. */
function passingWith(relay: LoneRelay, ids: readonly PeerId[], places: readonly Endpoint[]): (ms: number) => void {
  let next = KEEP_ALIVE_INTERVAL
  return (ms) => {
    relay.pass(ms)
    if (relay.now < next) return
    next += KEEP_ALIVE_INTERVAL
    for (const [number, id] of ids.entries())
      relay.receive(encode({ op_code: OP.keepAlive, id, seq: 0, ts: 0 }, 'binary'), places[number] as Endpoint)
  }
}

/**
 * Both directions in turn. Ids and addresses lie in the order of the visits, so that what misses the
 * cache is the relay's own.
 * @returns seconds of the processor
 */
function pass({ machine, now }: LoneRelay, open: readonly Open[], { indexes, count }: Visits): number {
  const frames = Array.from({ length: BUFFERS }, () => new Uint8Array(FRAME_BYTES).fill(0x5a))
  const headers = new Uint8Array(count * CHANNEL_HEADER_BYTES)
  const sources: Endpoint[] = []
  for (let index = 0; index < count; index++) {
    const { id, from, to } = open[indexes[index] as number] as Open
    writeChannelHeader(headers.subarray(index * CHANNEL_HEADER_BYTES), sessionIdToBytes(id))
    sources.push(index % 2 === 0 ? from : to)
  }
  let sent = 0
  const start = cpuSeconds()
  for (let index = 0; index < count; index++) {
    const bytes = frames[index % BUFFERS] as Uint8Array
    const at = index * CHANNEL_HEADER_BYTES
    for (let byte = 0; byte < CHANNEL_HEADER_BYTES; byte++) bytes[byte] = headers[at + byte] as number
    machine.receive({ bytes, source: sources[index] as Endpoint }, now)
    if (index % BATCH === BATCH - 1) while (machine.poll() !== undefined) sent++
  }
  while (machine.poll() !== undefined) sent++
  const seconds = cpuSeconds() - start
  if (sent !== count) throw new Error(`The relay passed on ${sent} of ${count} frames.`)
  return seconds
}

limitGarbage()
serve(grow)
