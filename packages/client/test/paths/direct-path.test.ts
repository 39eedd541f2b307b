/**
 * docs/protocol.md, Choosing a path: the direct path of one connection, with the rest of it in the
 * test's hands.
 */
import { type Endpoint, OP, type SessionId, sessionIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { Allowance, isProven } from '../../src/core/index.ts'
import { MessageSessions, type SessionEntry } from '../../src/core/messages/message-sessions.ts'
import { DirectPath } from '../../src/core/paths/direct-path.ts'
import type { PathEvent } from '../../src/core/paths/path-event.ts'
import { ContextBed } from '../context-bed.ts'
import { OTHER, other } from '../peer-bed.ts'

const SECOND = 1000
const ELSEWHERE: Endpoint = { ...OTHER, port: 5001 }
const DIRECT_DATA = 4
const id = (number: number): SessionId => sessionIdFromBytes(new Uint8Array(16).fill(number))

class Bed extends ContextBed {
  readonly sessions: MessageSessions
  readonly path: DirectPath

  constructor({ leads = true, seedMode = false } = {}) {
    super({ seedMode })
    const table = new Map<SessionId, SessionEntry<unknown>>()
    const inUse = (): boolean => true
    this.sessions = new MessageSessions(this.context, { connection: this, remoteId: other.id, table, inUse })
    this.path = new DirectPath(this.context, { sessions: this.sessions, leads })
  }

  /** This end's 0x101 was answered there. */
  found(session = 1, route = OTHER): void {
    this.do((now) => this.path.found(id(session), route, other.publicKey, 'it answered', now))
  }

  /** The other end's 0x101 was answered there, and data came. */
  data(session: number, route: Endpoint): void {
    this.do((now) => this.path.received(this.path.expect(id(session), route, other.publicKey), now))
  }

  get told(): readonly PathEvent[] {
    const events: PathEvent[] = []
    for (let event = this.path.poll(); event !== undefined; event = this.path.poll()) events.push(event)
    return events
  }
}

describe('a path to an address that has not proved itself', () => {
  const unproven = () => ({ ...OTHER, allowance: new Allowance(1200) })

  test('is proven by the answer to a record there, also when it had died meanwhile', () => {
    for (const dies of [false, true]) {
      const bed = new Bed()
      const route = unproven()
      bed.found(1, route)
      expect(bed.path.proven).toBe(false)
      if (dies) bed.path.fail()
      bed.do((now) => bed.path.answered(OTHER, other.publicKey, now))
      expect([bed.path.proven, isProven(bed.path.session?.options.to ?? route)]).toEqual([true, true])
    }
  })

  test('is proven by another request from there that was', () => {
    const bed = new Bed()
    bed.found(1, unproven())
    bed.found(2)
    expect([bed.path.proven, bed.path.session?.options.id]).toEqual([true, id(2)])
  })
})

describe('a path that was found', () => {
  test('is usable, and is kept alive', () => {
    const bed = new Bed()
    bed.found()
    expect(bed.path.route).toEqual(OTHER)
    expect(bed.told.map(({ type }) => type)).toEqual(['note', 'usable'])
    bed.advance(15 * SECOND)
    expect(bed.sent.map(({ to, message }) => [to, message.op_code])).toEqual([[OTHER, OP.keepAlive]])
  })

  test('is announced by an empty message, when the other end takes data there', () => {
    const silent = new Bed()
    silent.found()
    silent.do((now) => silent.path.announce(now))
    const bed = new Bed()
    bed.path.learnCaps(DIRECT_DATA)
    bed.found()
    bed.do((now) => bed.path.announce(now))
    expect([silent.sent, bed.sent.map(({ message }) => message.op_code)]).toEqual([[], [OP.proxyData]])
  })

  test('of the end with the smaller id stays, wherever the other end sends from', () => {
    const bed = new Bed({ leads: true })
    bed.found(1, OTHER)
    bed.data(2, ELSEWHERE)
    expect(bed.path.route).toEqual(OTHER)
  })

  test('of the other end gives way to the one on which data comes', () => {
    const bed = new Bed({ leads: false })
    bed.found(1, OTHER)
    bed.data(2, ELSEWHERE)
    expect([bed.path.route, bed.path.session?.options.id]).toEqual([ELSEWHERE, id(2)])
  })

  test('is missing: then any on which data comes will do', () => {
    const bed = new Bed({ leads: true })
    bed.data(2, ELSEWHERE)
    expect(bed.path.route).toEqual(ELSEWHERE)
    expect(bed.told.map(({ type }) => type)).toEqual(['note', 'usable'])
  })

  test('again at the same address goes on with the newer session', () => {
    const bed = new Bed()
    bed.found(1)
    bed.found(2)
    expect(bed.path.session?.options.id).toBe(id(2))
    bed.advance(15 * SECOND)
    expect(bed.keepAlives).toHaveLength(1)
  })
})

describe('whether it carries data', () => {
  test('is known when the other end has said so', () => {
    const bed = new Bed()
    bed.found()
    expect(bed.path.awaitCaps()).toBe(true)
    expect([bed.path.carriesData, bed.path.awaitCaps()]).toEqual([false, false])
    bed.path.learnCaps(DIRECT_DATA)
    expect([bed.path.carriesData, bed.path.speaksExtensions]).toEqual([true, true])
    bed.path.learnCaps(0)
    expect(bed.path.carriesData).toBe(false)
  })

  test('is shown by data that comes on it', () => {
    const bed = new Bed()
    bed.path.awaitCaps()
    bed.data(1, OTHER)
    expect(bed.path.speaksExtensions).toBe(true)
  })

  test('is a no in seed mode, and without a path', () => {
    const seed = new Bed({ seedMode: true })
    seed.found()
    const none = new Bed()
    none.path.learnCaps(DIRECT_DATA)
    expect([seed.path.carriesData, seed.path.awaitCaps(), none.path.carriesData]).toEqual([false, false, false])
  })
})

describe('a path that dies', () => {
  test('after three unanswered keep-alives is left, with what waited to be sent there', () => {
    const bed = new Bed()
    bed.path.learnCaps(DIRECT_DATA)
    bed.found()
    // 64 are under way at a time. They are given up after 11.5 s, and the path after some 20 s.
    const messages = Array.from({ length: 200 }, (_, index) => ({ bytes: Uint8Array.of(index), done: () => {} }))
    bed.do((now) => {
      for (const message of messages) bed.path.session?.send(message, now)
    })
    bed.advance(60 * SECOND)
    expect([bed.path.route, bed.path.carriesData]).toEqual([undefined, false])
    expect(bed.told.at(-1)).toEqual({
      type: 'lost',
      reason: 'the direct path is dead',
      unsent: messages.slice(128),
      abandoned: [],
    })
  })

  test('does not, while anything comes from there and nowhere else', () => {
    const bed = new Bed()
    bed.found()
    for (let time = 0; time < 30; time++) {
      bed.advance(10 * SECOND)
      expect(bed.path.heardAt(ELSEWHERE, bed.now)).toBe(false)
      expect(bed.path.heardAt(OTHER, bed.now)).toBe(true)
    }
    expect(bed.path.route).toEqual(OTHER)
  })

  test('is asked at once when it is suspect', () => {
    const bed = new Bed()
    bed.found()
    bed.advance(6 * SECOND)
    bed.do((now) => bed.path.suspect(now))
    bed.advance(1)
    expect([bed.keepAlives, bed.path.suspected]).toEqual([[6 * SECOND], true])
  })
})

test('another address of the other end takes over the session, and the former one is left alone', () => {
  const bed = new Bed()
  bed.path.learnCaps(DIRECT_DATA)
  bed.found()
  bed.do((now) => bed.path.rebind(ELSEWHERE, other.publicKey, now))
  expect([bed.path.route, bed.path.session?.options.id, bed.path.session?.options.to]).toEqual([
    ELSEWHERE,
    id(1),
    ELSEWHERE,
  ])
  bed.advance(15 * SECOND)
  expect(bed.sent.map(({ to }) => to)).toEqual([ELSEWHERE])
})

test('a path that is dropped closes the socket that it had for itself', () => {
  const bed = new Bed()
  const socket = bed.do(() => bed.context.sockets.open(() => {}))
  bed.do((now) => bed.path.found(id(1), { ...OTHER, socket }, other.publicKey, 'it answered', now))
  expect([bed.path.usesSocket(socket), [...bed.sockets]]).toEqual([true, [socket]])
  bed.do(() => bed.path.drop())
  expect([bed.path.usesSocket(socket), [...bed.sockets], bed.idle]).toEqual([false, [], true])
})
