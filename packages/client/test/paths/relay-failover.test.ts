/**
 * docs/protocol.md, Choosing a path: a connection that lost its relay asks the others that both
 * ends know, in rounds.
 */
import type { Endpoint } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { connectionContext } from '../../src/core/paths/connection-context.ts'
import { RelayFailover, type Turn } from '../../src/core/paths/relay-failover.ts'
import type { Registration } from '../../src/core/relays/registration.ts'
import { ContextBed } from '../context-bed.ts'
import { RELAY } from '../peer-bed.ts'

const SECOND = 1000
const SECOND_RELAY: Endpoint = { ...RELAY, port: 4401 }

class Bed extends ContextBed {
  readonly relays: readonly Registration[]
  readonly failover: RelayFailover
  /** Relays whose turn came, and when. */
  readonly turns: { readonly turn: Turn; readonly at: number }[] = []
  readonly failures: { readonly why: string; readonly at: number }[] = []
  /** What becomes of a turn. @default it fails at once */
  result: (turn: Turn) => string | undefined | 'later' = () => 'nothing was acknowledged'

  constructor(registered: readonly Endpoint[] = [RELAY, SECOND_RELAY]) {
    super()
    this.relays = [RELAY, SECOND_RELAY].map((endpoint) => this.registration(endpoint))
    this.failover = new RelayFailover(
      connectionContext(this.context, () => this.#drain()),
      () => this.relays,
    )
    for (const each of this.relays) if (registered.includes(each.relay.endpoint)) this.register(each)
  }

  override do<T>(act: (now: typeof this.now) => T): T {
    const result = super.do(act)
    this.#drain()
    return result
  }

  /** A turn is over. */
  tried(turn: Turn | undefined, why: string | undefined): void {
    if (turn !== undefined) this.do((now) => this.failover.tried(turn, why, now))
  }

  get ports(): readonly number[] {
    return this.turns.map(({ turn }) => turn.relay.relay.endpoint.port)
  }

  #drain(): void {
    // Not before the constructor is done.
    for (let event = this.failover?.poll(); event !== undefined; event = this.failover.poll()) {
      if (event.type === 'failed') this.failures.push({ why: event.why, at: this.now })
      else {
        this.turns.push({ turn: event.turn, at: this.now })
        const why = this.result(event.turn)
        if (why !== 'later') this.failover.tried(event.turn, why, this.now)
      }
    }
  }
}

describe('a connection without a relay', () => {
  test('asks the registered ones, one after the other, again after 0.5 and 1 s, then every 2 s', () => {
    const bed = new Bed()
    bed.do((now) => bed.failover.start(now))
    bed.advance(5 * SECOND)
    expect(bed.ports).toEqual([4400, 4401, 4400, 4401, 4400, 4401, 4400, 4401])
    expect(bed.turns.map(({ at }) => at)).toEqual([0, 0, 500, 500, 1500, 1500, 3500, 3500])
  })

  test('waits for the next life of relays that are about to end', () => {
    const bed = new Bed()
    for (const relay of bed.relays) relay.draining = true
    bed.do((now) => bed.failover.start(now))
    bed.advance(5 * SECOND)
    expect(bed.ports).toEqual([])
    for (const relay of bed.relays) relay.draining = false
    bed.advance(2 * SECOND)
    expect(bed.ports.slice(0, 2)).toEqual([4400, 4401])
  })

  test('asks the next one only when the one before has failed', () => {
    const bed = new Bed()
    bed.result = () => 'later'
    bed.do((now) => bed.failover.start(now))
    bed.advance(10 * SECOND)
    expect(bed.ports).toEqual([4400])
    bed.tried(bed.turns[0]?.turn, 'refused')
    expect(bed.ports).toEqual([4400, 4401])
  })

  test('leaves out a relay that it is not registered with', () => {
    const bed = new Bed([SECOND_RELAY])
    bed.do((now) => bed.failover.start(now))
    expect(bed.ports).toEqual([4401])
  })

  test('goes on as soon as a relay answers again, when none does', () => {
    const bed = new Bed([])
    bed.do((now) => bed.failover.start(now))
    bed.advance(500)
    expect(bed.ports).toEqual([])
    const [, second] = bed.relays
    if (second !== undefined) bed.register(second)
    expect(bed.ports).toEqual([4401])
    expect(bed.turns[0]?.at).toBe(500)
  })

  test('has a relay again when the other end acknowledged something there', () => {
    const bed = new Bed()
    bed.result = ({ relay: { relay: tried } }) => (tried.endpoint.port === 4401 ? undefined : 'refused')
    bed.do((now) => bed.failover.start(now))
    bed.advance(60 * SECOND)
    expect([bed.ports, bed.failures]).toEqual([[4400, 4401], []])
    // And looks anew when that one is lost, with the whole time.
    bed.result = () => 'refused'
    const began = bed.now
    bed.do((now) => bed.failover.start(now))
    bed.advance(150 * SECOND)
    expect(bed.failures.map(({ at }) => at - began)).toEqual([121_500])
  })

  test('fails when 120 s are over, with the reason of the last try', () => {
    const bed = new Bed()
    bed.do((now) => bed.failover.start(now))
    bed.advance(119 * SECOND)
    expect(bed.failures).toEqual([])
    bed.advance(20 * SECOND)
    expect(bed.failures).toEqual([{ why: 'nothing was acknowledged', at: 121_500 }])
    expect(bed.turns.at(-1)?.at).toBe(121_500)
  })

  test('looks once at a time', () => {
    const bed = new Bed()
    bed.result = () => 'later'
    bed.do((now) => bed.failover.start(now))
    bed.do((now) => bed.failover.start(now))
    expect(bed.ports).toEqual([4400])
  })
})

test('a turn of an earlier search changes nothing any more', () => {
  const bed = new Bed()
  bed.result = () => 'later'
  bed.do((now) => bed.failover.start(now))
  const [late] = bed.turns
  bed.do(() => bed.failover.settle())
  bed.do((now) => bed.failover.start(now))
  bed.tried(late?.turn, 'refused')
  expect(bed.ports).toEqual([4400, 4400])
  bed.tried(late?.turn, undefined)
  bed.tried(bed.turns[1]?.turn, 'refused')
  expect(bed.ports).toEqual([4400, 4400, 4401])
})

test('a connection that has ended asks nobody any more', () => {
  const bed = new Bed()
  bed.do((now) => bed.failover.start(now))
  bed.do(() => bed.failover.stop())
  bed.do((now) => bed.failover.start(now))
  bed.advance(60 * SECOND)
  expect([bed.ports, bed.failures]).toEqual([[4400, 4401], []])
})
