/**
 * Proxied data: the relay's hot path (the seed's section 5; docs/protocol.md, Who sends what,
 * Consent, Retransmission, Replay). 0x123 of one end goes to the other as 0x124, 0x125 comes back;
 * the relay originates neither.
 *
 *   session? ─► an end of it, from its bound address? ─► rate ─► seen? ─► there, within budget? ─► signature ─► 0x124
 */
import { type Datagram, encodeCounted, type Instant, sendMessage } from '@showchain/client/endpoint'
import { type Encoding, type Endpoint, equalBytes, type MessageOf, OP, WIRE_ERROR } from '@showchain/wire'
import type { AddressRate } from './address-rate.ts'
import type { Binding } from './bindings.ts'
import { ConsentBudget, UNCONSENTED_DATA } from './consent-budget.ts'
import type { DataPacket } from './data-packet.ts'
import { NONE } from './expiring-rows.ts'
import { type OutstandingData, OutstandingTable } from './outstanding-data.ts'
import type { Peers } from './peers.ts'
import type { ProxySession, ProxySessionTable, SessionEnd } from './proxy-session-table.ts'
import type { RelayContext } from './relay-context.ts'
import { throttle } from './throttle.ts'
import { NO_SESSION_GAP } from './times.ts'
import type { Toll } from './toll.ts'

type Acknowledgement = MessageOf<typeof OP.proxyDataAck>

/**
 * Times that one message is forwarded at most: five by the retransmission rule, and slack for
 * duplicates.
 */
const MAX_FORWARDS = 8

/** A packet whose session, ends and source are in order. */
interface Transit {
  readonly packet: DataPacket
  readonly source: Endpoint
  readonly session: ProxySession
  readonly sender: SessionEnd
  readonly receiver: SessionEnd
}

export class DataForwarder {
  readonly #context: RelayContext
  readonly #bindings: Peers
  readonly #sessions: ProxySessionTable
  readonly #outstanding: OutstandingTable
  readonly #budget: ConsentBudget
  /** Undefined: there are no quotas. */
  readonly #toll: Toll | undefined
  /** Addresses to which `noSession` was sent. */
  readonly #errorThrottle: AddressRate

  constructor(context: RelayContext, bindings: Peers, sessions: ProxySessionTable, toll: Toll | undefined) {
    this.#context = context
    this.#bindings = bindings
    this.#sessions = sessions
    this.#toll = toll
    this.#outstanding = new OutstandingTable(context.limits)
    this.#budget = new ConsentBudget(UNCONSENTED_DATA, context.limits.consentPairs, bindings)
    this.#errorThrottle = throttle(NO_SESSION_GAP, context.limits.rateSources, context)
  }

  get sizes(): { readonly outstanding: number; readonly consentPairs: number } {
    return { outstanding: this.#outstanding.size, consentPairs: this.#budget.size }
  }

  get isIdle(): boolean {
    return this.#outstanding.size + this.#budget.size + this.#errorThrottle.size === 0
  }

  expire(now: Instant): void {
    this.#outstanding.expire(now)
    this.#budget.expire(now)
    this.#errorThrottle.expire(now)
  }

  /** 0x123. */
  data(packet: DataPacket, source: Endpoint, now: Instant): void {
    const { count } = this.#context
    const session = this.#sessions.get(packet.session, now)
    if (session === undefined) return this.#noSession(packet, source, now)
    const { requester, target } = session
    const forth = packet.isBetween(requester, target)
    if (!forth && !packet.isBetween(target, requester)) return count('unexpected')
    const [sender, receiver] = forth ? [requester, target] : [target, requester]
    const from = this.#bindings.at(sender.id, source, now)
    if (from === undefined) return count('unbound')
    if (!this.#bindings.takeData(sender.id, now)) return count('rateLimited')
    from.source.allowance?.lift()
    const transit = { packet, source, session, sender, receiver }
    const before = this.#outstanding.get(session, sender, packet.seq, now)
    if (before !== undefined && before.ts === packet.ts) return this.#repeat(transit, before, now)
    if (sender.window.check(packet.seq) !== 'fresh') return count('replayed')
    // An absent target looks like one that does not answer, and costs no RSA.
    if (this.#bindings.get(receiver.id, now) === undefined) return count('targetAbsent')
    if (sender.unacknowledged >= this.#context.limits.outstandingPerDirection) return count('dataOverWindow')
    if (!this.#allows(transit, 0, now)) return count('consentExhausted')
    this.#verify(transit, from)
  }

  #verify(transit: Transit, from: Binding): void {
    const { packet, sender, receiver } = transit
    const { keys, outbox, provider, count } = this.#context
    const key = keys.get(sender.id) ?? keys.learn(sender.id, from.spki)
    if (key === undefined || packet.sign.length !== key.signatureLength) return count('badSignature')
    outbox.verify(key, packet.preimage(provider, sender, receiver), packet.sign, (valid, now) => {
      if (valid === true) this.#verified(transit, now)
      else count(valid === undefined ? 'verifyShed' : 'badSignature')
    })
  }

  /** The signature is valid. State may have changed during verification, so it is checked again. */
  #verified(transit: Transit, now: Instant): void {
    const { packet, source, session, sender } = transit
    const { count, provider } = this.#context
    if (this.#sessions.get(session.id, now) !== session) return count('noSession')
    if (this.#bindings.at(sender.id, source, now) === undefined) return count('unbound')
    if (sender.window.check(packet.seq) !== 'fresh') return count('replayed')
    if (!this.#forward(transit, now)) return
    sender.window.accept(packet.seq)
    this.#outstanding.forwarded(session, sender, packet.seq, packet.ts, packet.proof(provider), now)
    this.#recordConsent(session, sender)
    this.#refresh(session, sender, now)
    count('dataForwarded')
  }

  /** The number is known: the same message again, or one that pretends to be it. */
  #repeat(transit: Transit, before: OutstandingData, now: Instant): void {
    const { packet, source, session, sender } = transit
    const { count, provider } = this.#context
    const { seq, ts, encoding } = packet
    if (before.state === 'acknowledged') {
      count('dataAnswered')
      const ext = before.ext === undefined ? {} : { ext: before.ext }
      return sendMessage(
        this.#context,
        source,
        { op_code: OP.proxyDataAck, session: session.id, seq, ts, ...ext },
        encoding,
      )
    }
    if (!equalBytes(before.proof, packet.proof(provider))) return count('replayed')
    if (before.times >= MAX_FORWARDS) return count('dataOverWindow')
    if (!this.#forward(transit, now)) return
    before.times++
    this.#outstanding.repeated(session, sender, seq, now)
    this.#refresh(session, sender, now)
    count('dataRepeated')
  }

  /**
   * Transmits the 0x124 where the receiver is bound now, in its encoding, when the budget allows
   * it.
   */
  #forward(transit: Transit, now: Instant): boolean {
    const { packet, source, session, sender, receiver } = transit
    const { count, outbox } = this.#context
    const to = this.#bindings.get(receiver.id, now)
    if (to === undefined) {
      count('targetAbsent')
      return false
    }
    const bytes = encodeForwarded(packet, to.encoding)
    if (bytes === undefined || !this.#allows(transit, bytes.length, now)) {
      count(bytes === undefined ? 'tooLarge' : 'consentExhausted')
      return false
    }
    // Of a peer elsewhere its own node counts.
    const row = this.#toll === undefined ? NONE : this.#bindings.rowOf(sender.id, now)
    if (row !== NONE && this.#toll?.pays(row, bytes.length, now) === false) return false
    if (this.#isUnconsented(transit)) this.#budget.spend(session, source, bytes.length, now)
    outbox.transmit(to.source, bytes, 'data')
    this.#sessions.carry(session.row, bytes.length, now)
    return true
  }

  #isUnconsented({ session, sender }: Transit): boolean {
    return sender === session.requester && !session.consented
  }

  #allows(transit: Transit, bytes: number, now: Instant): boolean {
    return !this.#isUnconsented(transit) || this.#budget.allows(transit.session, transit.source, bytes, now)
  }

  /** A message of the target is its consent. */
  #recordConsent(session: ProxySession, by: SessionEnd): void {
    if (by === session.target) this.#sessions.consent(session.row)
  }

  #refresh(session: ProxySession, by: SessionEnd, now: Instant): void {
    this.#bindings.refresh(by.id, now)
    this.#sessions.refresh(session.row, now)
  }

  /** Told only to a bound sender: others get silence. */
  #noSession(packet: DataPacket, source: Endpoint, now: Instant): void {
    if (this.#bindings.at(packet.id, source, now) === undefined) return this.#context.count('unbound')
    this.#context.count('noSession')
    if (!this.#errorThrottle.take(source, now)) return
    const { seq, ts } = packet
    const error = { op_code: OP.error, code: WIRE_ERROR.noSession, ref_op: OP.proxyData, seq, ts } as const
    sendMessage(this.#context, source, error, packet.encoding)
  }

  /**
   * 0x125: from the bound address of the receiving end of an outstanding message, and only once.
   */
  acknowledge(message: Acknowledgement, encoding: Encoding, { bytes, source }: Datagram, now: Instant): void {
    const { count, outbox } = this.#context
    const session = this.#sessions.get(message.session, now)
    const sender = session === undefined ? undefined : this.#acknowledged(session, message, source, now)
    if (session === undefined || sender === undefined) return count('unexpected')
    const receiver = sender === session.requester ? session.target : session.requester
    this.#refresh(session, receiver, now)
    this.#outstanding.acknowledged(session, sender, message.seq, message.ts, message.ext, now)
    this.#recordConsent(session, receiver)
    const to = this.#bindings.get(sender.id, now)
    if (to === undefined) return count('targetAbsent')
    const same = encoding === 'binary' && to.encoding === 'binary'
    const forwarded = same ? bytes : encodeCounted(this.#context, message, to.encoding)
    if (forwarded === undefined) return
    outbox.transmit(to.source, forwarded, 'data')
    count('acknowledged')
  }

  /**
   * The end whose outstanding message this acknowledges, when it comes from where the other end is
   * bound.
   */
  #acknowledged(
    session: ProxySession,
    { seq, ts }: Acknowledgement,
    source: Endpoint,
    now: Instant,
  ): SessionEnd | undefined {
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
function encodeForwarded(packet: DataPacket, encoding: Encoding): Uint8Array | undefined {
  try {
    return packet.forwarded(encoding)
  } catch {
    return undefined
  }
}
