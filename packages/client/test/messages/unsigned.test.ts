/** docs/protocol.md, A protected path that dies: what a relay passes on is not signed. */
import { opensslEndToEnd } from '@showchain/crypto'
import { OP, type SessionId, sessionIdFromBytes } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import type { MessageSession } from '../../src/core/messages/message-session.ts'
import { MessageSessions } from '../../src/core/messages/message-sessions.ts'
import { ContextBed } from '../context-bed.ts'
import { other, RELAY, self } from '../peer-bed.ts'

const ID: SessionId = sessionIdFromBytes(new Uint8Array(16).fill(1))
const RECORD = Uint8Array.of(0xb2, 1, 2, 3)

class Bed extends ContextBed {
  readonly sessions: MessageSessions
  readonly session: MessageSession

  constructor() {
    super({ plaintext: false, endToEnd: opensslEndToEnd })
    const options = { connection: this, remoteId: other.id, table: new Map(), inUse: () => true }
    this.sessions = new MessageSessions(this.context, options)
    const liveness = { sent: () => {}, suspect: () => {} }
    this.session = this.sessions.add({ id: ID, to: RELAY, directKey: undefined, consented: true, liveness })
  }

  /** A 0x124 with a record. */
  passed(seq: number): void {
    const message = { op_code: OP.proxyPassData, target: self.id, id: other.id, data: RECORD, session: ID, seq, ts: 1 }
    this.do((now) => this.session.receive(message as Parameters<MessageSession['receive']>[0], 'binary', RELAY, now))
  }

  /** How many records were handed on, and acknowledged. */
  get outcome(): readonly number[] {
    let handed = 0
    while (this.sessions.poll() !== undefined) handed++
    const acknowledged = this.sent.filter(({ message }) => message.op_code === OP.proxyDataAck)
    return [handed, acknowledged.length]
  }
}

describe('a 0x124 with a record', () => {
  test('is taken and acknowledged, however far ahead a forged one was', () => {
    const bed = new Bed()
    for (const seq of [100, 2 ** 47, 101, 102]) bed.passed(seq)
    expect(bed.outcome).toEqual([4, 4])
  })

  test('is taken though a forged one had its number: the record layer tells which is genuine', () => {
    const bed = new Bed()
    for (const seq of [100, 100]) bed.passed(seq)
    expect(bed.outcome).toEqual([2, 2])
  })
})
