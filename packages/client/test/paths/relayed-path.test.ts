/** docs/protocol.md, Choosing a path and Recovery: the relayed path of one connection. */
import { type Endpoint, OP, type SessionId, sessionIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import type { MessageSession } from '../../src/core/messages/message-session.ts'
import { MessageSessions, type SessionEntry } from '../../src/core/messages/message-sessions.ts'
import type { Sent } from '../../src/core/messages/outgoing-message.ts'
import { connectionContext } from '../../src/core/paths/connection-context.ts'
import type { PathEvent } from '../../src/core/paths/path-event.ts'
import { MAX_RELAYS_PER_CONNECTION, RelayedPath, type RequestSession } from '../../src/core/paths/relayed-path.ts'
import type { Registration } from '../../src/core/relays/registration.ts'
import { ContextBed } from '../context-bed.ts'
import { other, RELAY } from '../peer-bed.ts'

const SECOND = 1000
const SECOND_RELAY: Endpoint = { ...RELAY, port: 4401 }
const id = (number: number): SessionId => sessionIdFromBytes(new Uint8Array(16).fill(number))
const message = (...bytes: readonly number[]) => ({ bytes: Uint8Array.from(bytes), done: () => {} })

/** A relayed path, and two relays that have answered. */
class Bed extends ContextBed {
  readonly sessions: MessageSessions
  readonly path: RelayedPath
  readonly first: Registration
  readonly second: Registration
  /** Relays that were asked for a session, and how to answer. */
  readonly asked: { readonly port: number; readonly grant: Parameters<RequestSession>[1] }[] = []
  readonly told: PathEvent[] = []
  /** How opening a session ended. @default it has not */
  readonly opened: (string | undefined)[] = []
  /** Whether a relay may see data. */
  allowed = true

  constructor() {
    super()
    const table = new Map<SessionId, SessionEntry<unknown>>()
    const context = connectionContext(this.context, () => this.#drain())
    this.sessions = new MessageSessions(context, { connection: this, remoteId: other.id, table, inUse: () => true })
    this.path = new RelayedPath(context, {
      sessions: this.sessions,
      allowed: () => this.allowed,
      request: ({ relay }, grant) => this.asked.push({ port: relay.endpoint.port, grant }),
    })
    const [first, second] = [RELAY, SECOND_RELAY].map((endpoint) => this.registration(endpoint)) as [
      Registration,
      Registration,
    ]
    for (const registration of [first, second]) this.register(registration)
    this.first = first
    this.second = second
    this.taken()
  }

  override do<T>(act: (now: typeof this.now) => T): T {
    const result = super.do(act)
    this.#drain()
    return result
  }

  /** A session is granted at the first relay, and proven. */
  open(number = 1, registration = this.first): void {
    const opened: Sent = (failure) => void this.opened.push(failure?.code)
    this.do((now) => this.path.open(id(number), registration, new Uint8Array(0), opened, now))
  }

  /** The other end acknowledges what was sent last by a session. */
  acknowledge(number = 1): void {
    const data = this.sent
      .map(({ message }) => message)
      .findLast((each) => each.op_code === OP.proxyData && each.session === id(number))
    const session = this.sessions.get(id(number))
    if (data?.op_code !== OP.proxyData || session === undefined) throw new Error('nothing was sent there')
    const { seq, ts } = data
    const ack = { op_code: OP.proxyDataAck, session: id(number), seq, ts } as const
    this.do((now) => session.acknowledged(ack, session.options.to, now))
  }

  /** There is a path by the first relay. */
  relayed(): this {
    this.path.meet(this.first)
    this.path.meet(this.second)
    this.open()
    this.acknowledge()
    this.told.length = 0
    this.taken()
    return this
  }

  #drain(): void {
    for (let event = this.path?.poll(); event !== undefined; event = this.path.poll()) this.told.push(event)
  }
}

describe('a session that a relay granted', () => {
  test('is a path when the other end acknowledged an empty message in it, and not before', () => {
    const bed = new Bed()
    bed.open()
    expect(bed.sent.map(({ to, message: sent }) => [to, sent.op_code])).toEqual([[RELAY, OP.proxyData]])
    expect([bed.path.session, bed.opened]).toEqual([undefined, []])
    bed.acknowledge()
    expect([bed.path.session?.options.id, bed.path.path?.remote, bed.opened]).toEqual([id(1), RELAY, [undefined]])
    expect(bed.told).toEqual([{ type: 'usable', reason: 'the relay reached the remote peer' }])
  })

  test('in which nothing is acknowledged is none', () => {
    const bed = new Bed()
    bed.open()
    bed.advance(15 * SECOND)
    expect([bed.path.session, bed.opened]).toEqual([undefined, ['ERR_TIMEOUT']])
  })

  test('is a path all the same when data comes by it', () => {
    const bed = new Bed()
    bed.open()
    const session = bed.sessions.get(id(1)) as MessageSession
    bed.do(() => bed.path.received(session))
    expect(bed.path.session).toBe(session)
    expect(bed.told).toEqual([{ type: 'usable', reason: 'data came through the relay' }])
  })

  test('to the other end is a path at once', () => {
    const bed = new Bed()
    const session = bed.path.accept(id(2), bed.second)
    expect([bed.path.session, bed.path.path?.remote, session.consented]).toEqual([session, SECOND_RELAY, true])
  })

  test('leaves the path as it is when there is one', () => {
    const bed = new Bed().relayed()
    bed.open(2, bed.second)
    bed.acknowledge(2)
    expect(bed.path.session?.options.id).toBe(id(1))
  })
})

describe('a relay that is lost', () => {
  test('takes the path with it, and the next relay that both ends know is asked', () => {
    const bed = new Bed().relayed()
    bed.do((now) => bed.path.relayLost(bed.first, now))
    const reason = `relay ${bed.first.relay.id} is lost`
    expect(bed.told).toEqual([
      { type: 'note', what: reason },
      { type: 'lost', reason, unsent: [], abandoned: [] },
    ])
    expect(bed.asked.map(({ port }) => port)).toEqual([4400])
    bed.do((now) => bed.asked[0]?.grant(undefined, 'no answer', now))
    expect(bed.asked.map(({ port }) => port)).toEqual([4400, 4401])
    bed.do((now) => bed.asked[1]?.grant(id(3), 'granted', now))
    bed.acknowledge(3)
    expect([bed.path.path?.remote, bed.told.at(-1)?.type]).toEqual([SECOND_RELAY, 'usable'])
    bed.advance(60 * SECOND)
    expect(bed.asked).toHaveLength(2)
  })

  test('hands back what waited there, to go another way', () => {
    const bed = new Bed().relayed()
    // 64 are under way at a time.
    const messages = Array.from({ length: 70 }, (_, index) => message(index))
    bed.do((now) => {
      for (const each of messages) bed.path.session?.send(each, now)
    })
    bed.do((now) => bed.path.relayLost(bed.first, now))
    expect(bed.told.at(-1)).toMatchObject({ type: 'lost', unsent: messages.slice(64) })
  })

  test('that another connection used changes nothing', () => {
    const bed = new Bed().relayed()
    bed.do((now) => bed.path.relayLost(bed.second, now))
    expect([bed.told, bed.path.session?.options.id]).toEqual([[], id(1)])
  })

  test('is not replaced when no relay may see data', () => {
    const bed = new Bed().relayed()
    bed.allowed = false
    bed.do((now) => bed.path.relayLost(bed.first, now))
    bed.advance(150 * SECOND)
    expect(bed.asked).toEqual([])
    expect(bed.told.at(-1)?.type).toBe('failed')
  })

  test('is not replaced in 120 s: then the path has failed', () => {
    const bed = new Bed().relayed()
    bed.do((now) => bed.path.relayLost(bed.first, now))
    for (let time = 0; time < 125; time++) {
      for (const { grant } of bed.asked.splice(0)) bed.do((now) => grant(undefined, 'no answer', now))
      bed.advance(SECOND)
    }
    expect(bed.told.filter(({ type }) => type === 'failed')).toEqual([{ type: 'failed', why: 'no answer' }])
  })
})

describe('a session that stands by at another relay', () => {
  const standing = (): Bed => {
    const bed = new Bed().relayed()
    bed.open(2, bed.second)
    bed.acknowledge(2)
    bed.told.length = 0
    return bed
  }

  test('takes over when the one in use is lost, and nobody is asked for another', () => {
    for (const end of ['relay', 'session', 'silence'] as const) {
      const bed = standing()
      const { session } = bed.path
      expect(bed.path.standby?.options.id).toBe(id(2))
      bed.do((now) => {
        if (end === 'relay') bed.path.relayLost(bed.first, now)
        else if (end === 'session' && session !== undefined) bed.path.sessionLost(session, [], [], now)
        else if (session !== undefined) bed.path.dead(session, now)
      })
      expect([bed.path.session?.options.id, bed.path.standby, bed.asked]).toEqual([id(2), undefined, []])
      expect(bed.told.map(({ type }) => type)).toEqual(['note', 'lost'])
    }
  })

  test('that is lost itself leaves the path as it is', () => {
    for (const end of ['relay', 'session', 'silence'] as const) {
      const bed = standing()
      const { standby } = bed.path
      bed.do((now) => {
        if (end === 'relay') bed.path.relayLost(bed.second, now)
        else if (end === 'session' && standby !== undefined) bed.path.sessionLost(standby, [], [], now)
        else if (standby !== undefined) bed.path.dead(standby, now)
      })
      expect([bed.path.session?.options.id, bed.path.standby, bed.asked]).toEqual([id(1), undefined, []])
    }
  })

  test('is of no use while its relay is lost', () => {
    const bed = standing()
    bed.do((now) => bed.path.relayLost(bed.second, now))
    bed.do((now) => bed.path.relayLost(bed.first, now))
    expect([bed.path.session, bed.asked.map(({ port }) => port)]).toEqual([undefined, [4400]])
  })
})

describe('a message that is not acknowledged', () => {
  test('means that the session is gone, when the relay itself was heard since', () => {
    const bed = new Bed().relayed()
    const session = bed.path.session as MessageSession
    const sent = bed.now
    bed.advance(SECOND)
    bed.first.heard(bed.now)
    bed.do((now) => bed.path.silent(session, sent, now))
    expect([bed.path.session, bed.told.at(-1)?.type]).toEqual([undefined, 'lost'])
  })

  test('means nothing, when the relay was not heard either: its keep-alive finds out', () => {
    const bed = new Bed().relayed()
    const session = bed.path.session as MessageSession
    bed.advance(SECOND)
    bed.do((now) => bed.path.silent(session, now, now))
    expect(bed.path.session).toBe(session)
  })
})

test('a session that the relay has lost hands back what it did not forward, and fails what it may have', () => {
  const bed = new Bed().relayed()
  const session = bed.path.session as MessageSession
  const [unsent, abandoned] = [message(1), message(2)]
  bed.do((now) => bed.path.sessionLost(session, [unsent], [abandoned], now))
  expect(bed.told.at(-1)).toMatchObject({ type: 'lost', unsent: [unsent], abandoned: [abandoned] })
  expect([bed.sessions.get(id(1)), bed.path.session]).toEqual([undefined, undefined])
})

test('a connection remembers eight relays, each once', () => {
  const bed = new Bed()
  bed.path.meet(bed.first)
  bed.path.meet(bed.first)
  const more = Array.from({ length: 8 }, (_, index) => bed.registration({ ...RELAY, port: 5000 + index }))
  for (const registration of more) {
    bed.register(registration)
    bed.path.meet(registration)
  }
  bed.do((now) => bed.path.recover(now))
  for (let time = 0; time < 20; time++) bed.do((now) => bed.asked.at(-1)?.grant(undefined, 'no', now))
  const known = [4400, ...more.map(({ relay }) => relay.endpoint.port)].slice(0, MAX_RELAYS_PER_CONNECTION)
  expect(bed.asked.map(({ port }) => port)).toEqual(known)
})

test('a connection that has ended looks for nothing any more', () => {
  const bed = new Bed().relayed()
  bed.do((now) => bed.path.relayLost(bed.first, now))
  bed.do(() => bed.path.stop())
  bed.do((now) => bed.asked[0]?.grant(id(3), 'granted', now))
  bed.advance(60 * SECOND)
  expect([bed.path.session, bed.sessions.get(id(3)), bed.asked.length]).toEqual([undefined, undefined, 1])
})
