/** docs/protocol.md, A protected path that dies: when a path is asked, and what its answers mean. */
import type { PublicKey } from '@showchain/crypto/core'
import { sessionIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { PathDoubts } from '../../src/core/connections/path-doubts.ts'
import type { MessageSession } from '../../src/core/messages/message-session.ts'
import { MessageSessions } from '../../src/core/messages/message-sessions.ts'
import { ContextBed } from '../context-bed.ts'
import { OTHER, other } from '../peer-bed.ts'

const SECOND = 1000

class Bed extends ContextBed {
  readonly doubts: PathDoubts
  readonly path: MessageSession
  readonly relayed: MessageSession
  readonly asked: { readonly path: MessageSession; readonly token: Uint8Array; readonly at: number }[] = []
  readonly told: string[] = []
  /** Whether another path carries data. */
  spare = true

  constructor() {
    super()
    const sessions = new MessageSessions(this.context, {
      ...{ connection: this, remoteId: other.id, table: new Map(), inUse: () => true },
    })
    const session = (number: number, directKey?: PublicKey): MessageSession =>
      sessions.add({
        id: sessionIdFromBytes(new Uint8Array(16).fill(number)),
        ...{ to: OTHER, directKey, consented: true },
        liveness: { sent: () => {}, suspect: () => {} },
      })
    this.path = session(1, other.publicKey)
    this.relayed = session(2)
    this.doubts = new PathDoubts(this.context.timers, this.context.random, {
      challenge: (path, token, now) => this.asked.push({ path, token, at: now }),
      dead: () => this.told.push('dead'),
      answered: () => this.told.push('answered'),
      forgotten: () => this.told.push('forgotten'),
      spare: () => this.spare,
    })
  }

  doubt(path = this.path): boolean {
    return this.do((now) => this.doubts.doubt(path, now))
  }

  respond(token = this.asked.at(-1)?.token ?? new Uint8Array(8)): void {
    this.do((now) => this.doubts.answered(token, now))
  }

  get times(): readonly number[] {
    return this.asked.splice(0).map(({ at }) => at)
  }
}

describe('a path in doubt', () => {
  test('is asked four times, and is dead when nothing came back', () => {
    const bed = new Bed()
    expect([bed.doubt(), bed.doubts.doubts(bed.path), bed.doubts.doubts(bed.relayed)]).toEqual([true, true, false])
    bed.advance(3499)
    expect([bed.times, bed.told]).toEqual([[0, 500, 1000, 2000], []])
    bed.advance(60 * SECOND)
    expect([bed.times, bed.told, bed.doubts.doubts(bed.path)]).toEqual([[], ['dead'], false])
  })

  test.each([0, 400, 900, 3400])('is good again when any question is answered: after %d ms', (after) => {
    const bed = new Bed()
    bed.doubt()
    bed.advance(after)
    bed.respond(bed.asked[0]?.token)
    bed.advance(60 * SECOND)
    expect([bed.told, bed.doubts.doubts(bed.path)]).toEqual([['answered'], false])
  })

  test('is not answered by another token', () => {
    const bed = new Bed()
    bed.doubt()
    bed.respond(new Uint8Array(8))
    bed.doubt(bed.relayed)
    bed.respond(bed.asked.at(-1)?.token)
    expect([bed.told, bed.doubts.doubts(bed.path), bed.doubts.doubts(bed.relayed)]).toEqual([['answered'], true, false])
  })

  test('is asked once, however often it is doubted, and not again within a second of its answer', () => {
    const bed = new Bed()
    bed.doubt()
    expect([bed.doubt(), bed.times]).toEqual([false, [0]])
    bed.advance(40)
    bed.respond(bed.asked.at(-1)?.token)
    const bare = new Bed()
    bare.doubt()
    bare.respond()
    bare.advance(999)
    expect(bare.doubt()).toBe(false)
    bare.advance(1)
    expect(bare.doubt()).toBe(true)
  })
})

describe('a dead path', () => {
  const dead = (spare: boolean, path: 'path' | 'relayed' = 'path'): Bed => {
    const bed = new Bed()
    bed.spare = spare
    bed.do((now) => bed.doubts.await(bed[path], now))
    return bed
  }

  test('is asked every 5 s for a minute while another one carries data', () => {
    const bed = dead(true)
    bed.advance(120 * SECOND)
    expect(bed.times).toEqual([0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55].map((at) => at * SECOND))
    expect(bed.told).toEqual(['forgotten'])
  })

  test('through a relay is asked no more once another one carries data', () => {
    const bed = dead(false, 'relayed')
    bed.advance(2500)
    bed.spare = true
    bed.advance(100 * SECOND)
    expect([bed.times, bed.told]).toEqual([[0, 1000, 2000], ['forgotten']])
  })

  test.each(['path', 'relayed'] as const)('is asked each second while none does, without end: %s', (path) => {
    const bed = dead(false, path)
    bed.advance(300 * SECOND)
    expect([bed.times.length, bed.told]).toEqual([301, []])
  })

  test('that answers is back', () => {
    const bed = dead(false)
    bed.advance(100 * SECOND)
    bed.respond()
    bed.times
    bed.advance(100 * SECOND)
    expect([bed.told, bed.times]).toEqual([['answered'], []])
  })

  test('is asked at once when something comes by it, but not more than once a second', () => {
    const bed = dead(true)
    bed.advance(1200)
    bed.do((now) => bed.doubts.heard(bed.path, now))
    bed.do((now) => bed.doubts.heard(bed.path, now))
    bed.advance(500)
    bed.do((now) => bed.doubts.heard(bed.path, now))
    expect(bed.times).toEqual([0, 1200])
  })

  test('is not asked any more when its connection has ended', () => {
    const bed = dead(false)
    bed.doubts.stop()
    bed.advance(100 * SECOND)
    expect(bed.times).toEqual([0])
  })
})
