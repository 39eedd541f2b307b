/**
 * Proxied data: the relay's hot path (the seed's section 5; docs/protocol.md, Who sends what,
 * Consent, Retransmission, Replay). 0x123 of one end goes to the other as 0x124, 0x125 comes back;
 * the relay originates neither.
 *
 *   session? ─► an end of it, from its bound address? ─► rate ─► seen? ─► there, within budget? ─► signature ─► 0x124
 */
import type { Datagram, Instant } from '@showchain/client/endpoint'
import { type Encoding, type Endpoint, equalBytes, type MessageOf, OP, WIRE_ERROR } from '@showchain/wire'
import type { Binding, Bindings } from './bindings.ts'
import { ConsentBudget } from './consent-budget.ts'
import type { DataPacket } from './data-packet.ts'
import { Outstanding, type OutstandingData } from './outstanding-data.ts'
import type { End, Session, SessionTable } from './proxy-session-table.ts'
import { encodeCounted, type RelayBase, send } from './relay-context.ts'
import { OncePer } from './throttle.ts'
import { NO_SESSION_GAP } from './times.ts'

type Acknowledgement = MessageOf<typeof OP.proxyDataAck>

/**
 * Times that one message is forwarded at most: five by the retransmission rule, and slack for
 * duplicates.
 */
const MAX_FORWARDS = 8

/** A packet whose session, ends and source are in order. */
interface Passage {
  readonly packet: DataPacket
  readonly source: Endpoint
  readonly session: Session
  readonly sender: End
  readonly receiver: End
}

export class Forward {
  readonly #base: RelayBase
  readonly #bindings: Bindings
  readonly #sessions: SessionTable
  readonly #outstanding: Outstanding
  readonly #budget: ConsentBudget
  /** Addresses to which `noSession` was sent. */
  readonly #told: OncePer

  constructor(base: RelayBase, bindings: Bindings, sessions: SessionTable) {
    this.#base = base
    this.#bindings = bindings
    this.#sessions = sessions
    this.#outstanding = new Outstanding(base.limits)
    this.#budget = new ConsentBudget(base.limits.consentPairs)
    this.#told = new OncePer(NO_SESSION_GAP, base.limits.rateSources)
  }

  get sizes(): { readonly outstanding: number; readonly consentPairs: number } {
    return { outstanding: this.#outstanding.size, consentPairs: this.#budget.size }
  }

  get isIdle(): boolean {
    return this.#outstanding.size + this.#budget.size + this.#told.size === 0
  }

  expire(now: Instant): void {
    this.#outstanding.expire(now)
    this.#budget.expire(now)
    this.#told.expire(now)
  }

  /** 0x123. */
  data(packet: DataPacket, source: Endpoint, now: Instant): void {
    const { count } = this.#base
    const session = this.#sessions.get(packet.session, now)
    if (session === undefined) return this.#noSession(packet, source, now)
    const { requester, target } = session
    const forth = packet.isBetween(requester, target)
    if (!forth && !packet.isBetween(target, requester)) return count('unexpected')
    const [sender, receiver] = forth ? [requester, target] : [target, requester]
    const from = this.#bindings.at(sender.id, source, now)
    if (from === undefined) return count('unbound')
    if (!from.data.take(now)) return count('rateLimited')
    const passage = { packet, source, session, sender, receiver }
    const before = this.#outstanding.get(session, sender, packet.seq, now)
    if (before !== undefined && before.ts === packet.ts) return this.#repeat(passage, before, now)
    if (sender.window.check(packet.seq) !== 'fresh') return count('replayed')
    // An absent target looks like one that does not answer, and costs no RSA.
    if (this.#bindings.get(receiver.id, now) === undefined) return count('targetAbsent')
    if (sender.unacknowledged >= this.#base.limits.outstandingPerDirection) return count('dataOverWindow')
    if (!this.#allows(passage, 0, now)) return count('consentExhausted')
    this.#verify(passage, from)
  }

  #verify(passage: Passage, from: Binding): void {
    const { packet, sender, receiver } = passage
    const { keys, outbox, provider, count } = this.#base
    const key = keys.get(sender.id) ?? keys.learn(sender.id, from.spki)
    if (key === undefined || packet.sign.length !== key.signatureLength) return count('badSignature')
    outbox.verify(key, packet.preimage(provider, sender, receiver), packet.sign, (valid, now) => {
      if (valid === true) this.#verified(passage, now)
      else count(valid === undefined ? 'verifyShed' : 'badSignature')
    })
  }

  /** The signature is valid. State may have changed during verification, so it is checked again. */
  #verified(passage: Passage, now: Instant): void {
    const { packet, source, session, sender } = passage
    const { count, provider } = this.#base
    if (this.#sessions.get(session.id, now) !== session) return count('noSession')
    if (this.#bindings.at(sender.id, source, now) === undefined) return count('unbound')
    if (sender.window.check(packet.seq) !== 'fresh') return count('replayed')
    if (!this.#pass(passage, now)) return
    sender.window.accept(packet.seq)
    this.#outstanding.forwarded(session, sender, packet.seq, packet.ts, packet.proof(provider), now)
    this.#answered(session, sender)
    this.#refresh(session, sender, now)
    count('dataForwarded')
  }

  /** The number is known: the same message again, or one that pretends to be it. */
  #repeat(passage: Passage, before: OutstandingData, now: Instant): void {
    const { packet, source, session, sender } = passage
    const { count, provider } = this.#base
    const { seq, ts, encoding } = packet
    if (before.state === 'acknowledged') {
      count('dataAnswered')
      const ext = before.ext === undefined ? {} : { ext: before.ext }
      return send(this.#base, source, { op_code: OP.proxyDataAck, session: session.id, seq, ts, ...ext }, encoding)
    }
    if (!equalBytes(before.proof, packet.proof(provider))) return count('replayed')
    if (before.times >= MAX_FORWARDS) return count('dataOverWindow')
    if (!this.#pass(passage, now)) return
    before.times++
    this.#outstanding.repeated(session, sender, seq, now)
    this.#refresh(session, sender, now)
    count('dataRepeated')
  }

  /**
   * Transmits the 0x124 where the receiver is bound now, in its encoding, when the budget allows
   * it.
   */
  #pass(passage: Passage, now: Instant): boolean {
    const { packet, session, receiver } = passage
    const { count, outbox } = this.#base
    const to = this.#bindings.get(receiver.id, now)
    if (to === undefined) {
      count('targetAbsent')
      return false
    }
    const bytes = passed(packet, to.encoding)
    if (bytes === undefined || !this.#allows(passage, bytes.length, now)) {
      count(bytes === undefined ? 'tooLarge' : 'consentExhausted')
      return false
    }
    if (this.#isUnconsented(passage)) this.#budget.spend(session, bytes.length, now)
    outbox.transmit(to.source, bytes)
    return true
  }

  #isUnconsented({ session, sender }: Passage): boolean {
    return sender === session.requester && !session.consented
  }

  #allows(passage: Passage, bytes: number, now: Instant): boolean {
    return !this.#isUnconsented(passage) || this.#budget.allows(passage.session, bytes, now)
  }

  /** A message of the target is its consent. */
  #answered(session: Session, by: End): void {
    if (by === session.target) session.consented = true
  }

  #refresh(session: Session, by: End, now: Instant): void {
    this.#bindings.refresh(by.id, now)
    this.#sessions.refresh(session, now)
  }

  /** Told only to a bound sender: others get silence. */
  #noSession(packet: DataPacket, source: Endpoint, now: Instant): void {
    if (this.#bindings.at(packet.id, source, now) === undefined) return this.#base.count('unbound')
    this.#base.count('noSession')
    if (!this.#told.take(source, now)) return
    const { seq, ts } = packet
    const error = { op_code: OP.error, code: WIRE_ERROR.noSession, ref_op: OP.proxyData, seq, ts } as const
    send(this.#base, source, error, packet.encoding)
  }

  /**
   * 0x125: from the bound address of the receiving end of an outstanding message, and only once.
   */
  acknowledge(message: Acknowledgement, encoding: Encoding, { bytes, source }: Datagram, now: Instant): void {
    const { count, outbox } = this.#base
    const session = this.#sessions.get(message.session, now)
    const sender = session === undefined ? undefined : this.#acknowledged(session, message, source, now)
    if (session === undefined || sender === undefined) return count('unexpected')
    const receiver = sender === session.requester ? session.target : session.requester
    this.#refresh(session, receiver, now)
    this.#outstanding.acknowledged(session, sender, message.seq, message.ts, message.ext, now)
    this.#answered(session, receiver)
    const to = this.#bindings.get(sender.id, now)
    if (to === undefined) return count('targetAbsent')
    const same = encoding === 'binary' && to.encoding === 'binary'
    const passedOn = same ? bytes : encodeCounted(this.#base, message, to.encoding)
    if (passedOn === undefined) return
    outbox.transmit(to.source, passedOn)
    count('acknowledged')
  }

  /**
   * The end whose outstanding message this acknowledges, when it comes from where the other end is
   * bound.
   */
  #acknowledged(session: Session, { seq, ts }: Acknowledgement, source: Endpoint, now: Instant): End | undefined {
    const { requester, target } = session
    for (const [sender, receiver] of [
      [requester, target],
      [target, requester],
    ] as const) {
      const message = this.#outstanding.get(session, sender, seq, now)
      if (message?.state !== 'forwarded' || message.ts !== ts) continue
      if (this.#bindings.at(receiver.id, source, now) !== undefined) return sender
    }
    return undefined
  }
}

/** The 0x124, or undefined when it does not fit a datagram in this encoding. */
function passed(packet: DataPacket, encoding: Encoding): Uint8Array | undefined {
  try {
    return packet.passed(encoding)
  } catch {
    return undefined
  }
}
