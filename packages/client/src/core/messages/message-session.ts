/**
 * Messages of one session, in both directions (the seed's section 5). 0x123 is signed and
 * retransmitted until 0x125 comes. A message that comes in is delivered once and acknowledged each
 * time.
 *
 * Through a relay, 0x123 goes to the relay and 0x124 comes from it. On a direct path (**ext**,
 * docs/protocol.md, Data on a direct path) 0x123 goes straight to the other end, which verifies it.
 */
import { type PublicKey, ReplayWindow } from '@showchain/crypto/core'
import { type Encoding, type MessageOf, OP, type PeerId, type SessionId, type Unsigned } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { EventQueue } from '../endpoint/event-queue.ts'
import type { Instant, Route } from '../endpoint/machine.ts'
import { randomSeq } from '../endpoint/request-stamp.ts'
import { Retransmission, SUSPICIOUS_TRANSMISSIONS } from '../endpoint/retransmission.ts'
import { sameRoute } from '../endpoint/route.ts'
import { encodeFitting, sendLast, sendMessage, sign, verify } from '../endpoint/signed-messages.ts'
import { asksOnly, mayCarry, type OutgoingMessage, type SendFailure } from './outgoing-message.ts'

/**
 * Unacknowledged messages in flight in one direction of a session, once the remote peer has
 * acknowledged one.
 */
export const SEND_WINDOW = 64
/** Messages that wait for the window. */
export const SEND_QUEUE = 1024
/**
 * The same before the first acknowledgement, which is the remote peer's consent (Consent: 4 packets
 * a minute per pair).
 */
export const SEND_WINDOW_UNCONSENTED = 1

type Arrival = MessageOf<typeof OP.proxyData> | MessageOf<typeof OP.proxyPassData>

export interface MessageSessionOptions {
  readonly id: SessionId
  readonly remoteId: PeerId
  /** Of those of its connection, in the order in which this end learnt of them. */
  readonly turn: number
  /** Where messages go and come from: the relay, or the other end itself. */
  readonly to: Route
  /** The other end's key on a direct path; undefined through a relay, which verifies. */
  readonly directKey: PublicKey | undefined
  /**
   * Whether the other end agreed to the session already: it opened it, or it is at the end of a
   * checked path.
   */
  readonly consented: boolean
  /** What keeps the path of the session alive. */
  readonly liveness: PathLiveness
  /** Whether the reader is behind: then nothing is acknowledged, and the other end sends again. */
  full(): boolean
}

/** What keeps one path alive, and learns what happens on it. */
export interface PathLiveness {
  /** Something was sent. */
  sent(now: Instant): void
  /** Something was sent several times without an answer. */
  suspect(now: Instant): void
}

export type MessageSessionEvent =
  /** Data came in. Empty bytes only ask for an acknowledgement. */
  | { readonly type: 'received'; readonly session: MessageSession; readonly bytes: Uint8Array }
  /** The relay does not have the session. */
  | {
      readonly type: 'lost'
      readonly session: MessageSession
      /** What the relay certainly did not forward, to be sent by another session. */
      readonly unsent: readonly OutgoingMessage[]
      /**
       * What it may have forwarded, and empty messages: fail with SESSION_LOST, once the connection
       * has left this session.
       */
      readonly abandoned: readonly OutgoingMessage[]
    }

interface Outstanding extends OutgoingMessage {
  readonly ts: number
  readonly retransmission: Retransmission
  transmissions: number
  /** When it was sent last. */
  sentAt: Instant | undefined
}

export class MessageSession {
  readonly options: MessageSessionOptions
  readonly #context: PeerContext
  readonly #events: EventQueue<MessageSessionEvent>
  readonly #window = new ReplayWindow()
  /** By seq; at most SEND_WINDOW. */
  readonly #outstanding = new Map<number, Outstanding>()
  /** At most SEND_QUEUE. */
  #queue: OutgoingMessage[] = []
  #seq: number
  #consented: boolean
  #closed = false
  /** Whether anything of ours was sent beside acknowledgements. */
  #spoke = false

  /** @param events of all sessions of a connection; polled by whoever called into one of them */
  constructor(context: PeerContext, options: MessageSessionOptions, events: EventQueue<MessageSessionEvent>) {
    this.#context = context
    this.#events = events
    this.options = options
    this.#seq = randomSeq(context.random)
    this.#consented = options.consented
  }

  /** Messages that wait to be sent or acknowledged. */
  get backlog(): number {
    return this.#queue.length + this.#outstanding.size
  }

  /** Whether the other end acknowledged anything yet. */
  get consented(): boolean {
    return this.#consented
  }

  send(message: OutgoingMessage, now: Instant): void {
    if (this.#closed) message.done({ code: 'ERR_CLOSED', why: 'The session has ended.' }, now)
    else if (this.#queue.length >= SEND_QUEUE)
      message.done({ code: 'ERR_BUSY', why: `${SEND_QUEUE} messages wait to be sent.` }, now)
    else {
      this.#queue.push(message)
      this.#fill()
    }
  }

  /** Sends the last words of a connection: once, before all that waits, though the session ends now. */
  sendLast(bytes: Uint8Array): void {
    sendLast(this.#context, this.options.to, this.#next(bytes), this.#context.encoding)
  }

  /** 0x124 from the relay, or 0x123 from the other end of a direct path. */
  receive(message: Arrival, encoding: Encoding, source: Route, now: Instant): void {
    const { remoteId, to, directKey } = this.options
    const signed = message.op_code === OP.proxyData
    if (this.#closed || message.id !== remoteId || signed !== (directKey !== undefined) || !sameRoute(source, to))
      return this.#context.count('unexpected')
    if (!mayCarry(this.#context, message.data)) return this.#context.count('plaintextRefused')
    if (this.options.full()) return this.#context.count('receiverFull')
    const verdict = this.#window.check(message.seq)
    if (verdict !== 'fresh') this.#context.count('duplicate')
    if (verdict !== 'fresh' && !this.#carriesRecords) {
      if (verdict === 'old') return
      this.#acknowledge(message, encoding, now)
      return this.#insist(now)
    }
    if (verdict === 'seen') this.#insist(now)
    if (!signed || directKey === undefined) return this.#take(message, encoding, now)
    verify(this.#context, directKey, message, message.sign, (valid, at) => {
      if (valid && !this.#closed) this.#take(message, encoding, at)
    })
  }

  /** Records have a window of their own; what a relay passes on is not signed: nothing outdates it. */
  get #carriesRecords(): boolean {
    return this.options.directKey === undefined && this.#context.endToEnd !== undefined
  }

  /** 0x125 for a message of ours. */
  acknowledged(ack: MessageOf<typeof OP.proxyDataAck>, source: Route, now: Instant): void {
    const message = this.#outstanding.get(ack.seq)
    if (message === undefined || message.ts !== ack.ts || !sameRoute(source, this.options.to))
      return this.#context.count('unexpected')
    this.#outstanding.delete(ack.seq)
    message.retransmission.stop()
    this.#consented = true
    this.#fill()
    message.done(undefined, now)
  }

  /** The relay says that it has no such session: 0x1F0 about a message of ours. */
  refused(seq: number, ts: number): boolean {
    const about = this.#outstanding.get(seq)
    if (about?.ts !== ts) return false
    const unsent: OutgoingMessage[] = []
    const abandoned: OutgoingMessage[] = []
    for (const message of this.#outstanding.values()) {
      message.retransmission.stop()
      if (!asksOnly(message) && isUnsent(message, about)) unsent.push(message)
      else abandoned.push(message)
    }
    for (const message of this.#queue) (asksOnly(message) ? abandoned : unsent).push(message)
    this.#outstanding.clear()
    this.#queue = []
    this.#closed = true
    this.#events.push({ type: 'lost', session: this, unsent, abandoned })
    return true
  }

  /** Sends once more what is not acknowledged: what answers may have come back just now. */
  repeat(now: Instant): void {
    for (const { retransmission } of this.#outstanding.values()) retransmission.hurry(now)
  }

  /**
   * Takes what was not sent yet, to go another way. What was sent still awaits its acknowledgement.
   */
  takeQueued(): readonly OutgoingMessage[] {
    const queued = this.#queue
    this.#queue = []
    return queued
  }

  close(why: string, now: Instant): void {
    this.#closed = true
    const waiting = [...this.#outstanding.values(), ...this.#queue]
    for (const { retransmission } of this.#outstanding.values()) retransmission.stop()
    this.#outstanding.clear()
    this.#queue = []
    for (const { done } of waiting) done({ code: 'ERR_CLOSED', why }, now)
  }

  #fill(): void {
    const window = this.#consented ? SEND_WINDOW : SEND_WINDOW_UNCONSENTED
    while (this.#outstanding.size < window) {
      const message = this.#queue.shift()
      if (message === undefined) return
      this.#transmit(message)
    }
  }

  #transmit(message: OutgoingMessage): void {
    const { to } = this.options
    this.#spoke = true
    const unsigned = this.#next(message.bytes)
    const { seq, ts } = unsigned
    let bytes: Uint8Array | undefined
    const retransmission = new Retransmission({
      timers: this.#context.timers,
      random: this.#context.random,
      send: (at, transmissions) => {
        outstanding.transmissions = transmissions
        outstanding.sentAt = at
        if (bytes !== undefined) this.#context.outbox.transmit(to, bytes)
        this.options.liveness.sent(at)
        if (transmissions >= SUSPICIOUS_TRANSMISSIONS) this.options.liveness.suspect(at)
      },
      giveUp: (at) =>
        this.#fail(seq, { code: 'ERR_TIMEOUT', why: 'The remote peer did not acknowledge the message.' }, at),
    })
    const outstanding: Outstanding = { ...message, ts, retransmission, transmissions: 0, sentAt: undefined }
    this.#outstanding.set(seq, outstanding)
    sign(this.#context, unsigned, (signed, at) => {
      if (this.#outstanding.get(seq) !== outstanding) return
      bytes = signed === undefined ? undefined : encodeFitting(signed, this.#context.encoding)
      if (bytes !== undefined) retransmission.start(at)
      else if (signed === undefined)
        this.#fail(seq, { code: 'ERR_SIGNING_FAILED', why: 'Too many signatures are waiting.' }, at)
      else this.#fail(seq, { code: 'ERR_TOO_LARGE', why: `${message.bytes.length} bytes.` }, at)
    })
  }

  #next(data: Uint8Array): Unsigned<MessageOf<typeof OP.proxyData>> {
    const { id: session, remoteId: target } = this.options
    const { ts } = this.#context.sequence.next()
    return { op_code: OP.proxyData, target, id: this.#context.self, data, session, seq: ++this.#seq, ts }
  }

  #fail(seq: number, failure: SendFailure, now: Instant): void {
    const message = this.#outstanding.get(seq)
    if (message === undefined) return
    this.#outstanding.delete(seq)
    message.retransmission.stop()
    this.#fill()
    message.done(failure, now)
  }

  #take(message: Arrival, encoding: Encoding, now: Instant): void {
    if (!this.#window.accept(message.seq) && !this.#carriesRecords) return
    this.#acknowledge(message, encoding, now)
    this.#events.push({ type: 'received', session: this, bytes: message.data })
  }

  /**
   * Our acknowledgements were lost, and a relay forwards few messages before it has seen one
   * (docs/protocol.md, Consent). An empty message of our own consents as well, and is
   * retransmitted.
   */
  #insist(now: Instant): void {
    if (this.options.directKey === undefined && !this.#spoke)
      this.send({ bytes: new Uint8Array(0), done: () => {} }, now)
  }

  #acknowledge({ session, seq, ts }: Arrival, encoding: Encoding, now: Instant): void {
    sendMessage(this.#context, this.options.to, { op_code: OP.proxyDataAck, session, seq, ts }, encoding)
    this.options.liveness.sent(now)
  }
}

/**
 * Whether the message was certainly not forwarded: it was sent once, and not before the one that
 * the relay refused. One that was sent more often, or earlier, may have reached a relay that still
 * had the session.
 */
const isUnsent = ({ transmissions, sentAt }: Outstanding, refused: Outstanding): boolean =>
  sentAt === undefined || (transmissions === 1 && sentAt >= (refused.sentAt ?? sentAt))
