/** A relay machine full of peers: what they take, and their keep-alives. */
import { limitGarbage } from '@showchain/server/runtime'
import { encode, OP, type PeerId } from '@showchain/wire'
import { serve } from './child.ts'
import { crowdedRelay, KIB, register, sourceOf, type Usage, usage } from './crowd.ts'
import type { LoneRelay } from './lone-relay.ts'

export interface MemoryRequest {
  readonly bindings: number
  /** Of keep-alives of all peers. */
  readonly rounds: number
}

/** Bytes, seconds. */
export interface MemoryReport {
  readonly before: Usage
  readonly filled: Usage
  readonly settled: Usage
  readonly peak: number
  readonly registerSeconds: number
  /** For each round. */
  readonly keepAlives: readonly number[]
}

/**
 * Virtual ms in which all of them register: less than a binding lives, so that none needs a
 * keep-alive meanwhile.
 */
const REGISTERING = 30_000
/** Virtual ms until the answers are forgotten. */
const SETTLING = 20_000
const KEEP_ALIVE_INTERVAL = 15_000

function fillRelay({ bindings, rounds }: MemoryRequest): MemoryReport {
  const relay = crowdedRelay()
  const ids: PeerId[] = []
  const before = usage()
  const start = performance.now()
  for (let number = 0; number < bindings; number++) {
    ids.push(register(relay, sourceOf(number)))
    relay.pass(REGISTERING / bindings)
  }
  const registerSeconds = (performance.now() - start) / 1000
  const filled = usage()
  for (let passed = 0; passed < SETTLING; passed += KIB) relay.pass(KIB)
  const settled = usage()
  const held = relay.machine.stats().bindings
  if (held !== bindings) throw new Error(`The relay holds ${held} of ${bindings} bindings.`)
  const peak = process.resourceUsage().maxRSS * KIB
  const keepAlives = keepAlive(relay, ids, rounds)
  return { before, filled, settled, peak, registerSeconds, keepAlives }
}

function keepAlive(relay: LoneRelay, ids: readonly PeerId[], rounds: number): number[] {
  const all = ids.map((id, number) => ({
    bytes: encode({ op_code: OP.keepAlive, id, seq: 0, ts: 0 }, 'binary'),
    source: sourceOf(number),
  }))
  return Array.from({ length: rounds }, () => {
    const answered = relay.machine.counters().sent + ids.length
    const start = performance.now()
    for (const { bytes, source } of all) {
      relay.receive(bytes, source)
      relay.pass(KEEP_ALIVE_INTERVAL / ids.length)
    }
    const seconds = (performance.now() - start) / 1000
    if (relay.machine.counters().sent !== answered) throw new Error('The relay did not answer every keep-alive.')
    return seconds
  })
}

limitGarbage()
serve(fillRelay)
