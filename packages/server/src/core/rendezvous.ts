/**
 * Rendezvous: brings two registered peers together for a punch (the seed's section 3;
 * docs/protocol.md, Who sends what, Retransmission).
 *
 *   R ── 0x111 ─► P ── 0x112 ─► T        T's consent: ◄── 0x114 ── T
 *   R ◄─ 0x115 ── P                      and, when both have one public address: R ◄─ 0x113 ── P
 *
 * An attempt lives in `#attempts` under the session that its 0x112 named:
 *
 *   passed ─ 0x114 ─► verifying ─ good ─► consented
 *      ▲                 │ bad
 *      └─────────────────┘
 */
import {
  type Admission,
  type AdmissionRequest,
  type Admitted,
  type Datagram,
  ExpiringMap,
  type Instant,
  sign,
  verify,
} from '@showchain/client/endpoint'
import { hasExtensions, type MessageOf, OP, type PeerId, type SessionId, sessionIdFromBytes } from '@showchain/wire'
import type { Binding, Bindings } from './bindings.ts'
import { passedFields } from './forwarded-fields.ts'
import { encodeCounted, type RelayBase } from './relay-context.ts'
import { ATTEMPT_LIFETIME } from './times.ts'

type PunchRequest = MessageOf<typeof OP.punchRequest>
type PunchAck = MessageOf<typeof OP.punchAck>

interface Attempt {
  readonly session: SessionId
  readonly request: PunchRequest
  /** R's request showed that it knows extensions, or its registration did. */
  readonly requesterKnowsExtensions: boolean
  readonly passRequest: Uint8Array
  state: 'passed' | 'verifying' | 'consented'
  /** 0x115, then 0x113 when the addresses were equal: the answers to a retransmitted 0x111. */
  readonly answers: Uint8Array[]
  /** 0x114s that came again: each gets the 0x115 passed on again. */
  repeats: number
}

const SESSION_BYTES = 16
/**
 * T may repeat its 0x114 as often as a request is retransmitted (Retransmission): five sends in
 * all.
 */
const MAX_ACK_REPEATS = 4

export class Rendezvous {
  readonly #base: RelayBase
  readonly #admission: Admission
  readonly #bindings: Bindings
  /** At most `limits.attempts`, the oldest is evicted; each ends after 30 s. */
  readonly #attempts: ExpiringMap<SessionId, Attempt>

  constructor(base: RelayBase, admission: Admission, bindings: Bindings) {
    this.#base = base
    this.#admission = admission
    this.#bindings = bindings
    this.#attempts = new ExpiringMap({ lifetime: ATTEMPT_LIFETIME, capacity: base.limits.attempts })
  }

  get size(): number {
    return this.#attempts.size
  }

  expire(now: Instant): void {
    this.#attempts.expire(now)
  }

  /** 0x111. */
  request(request: AdmissionRequest<PunchRequest>, now: Instant): void {
    const binding = this.#bindings.at(request.message.id, request.source, now)
    if (binding === undefined) return this.#base.count('unbound')
    this.#admission.admit(request, 'validated', now, (admitted, at) => this.#pass(admitted, at), binding.spki)
  }

  /**
   * R's request is valid: forwards it, now or when it is retransmitted and T has registered
   * meanwhile.
   */
  #pass(admitted: Admitted<PunchRequest>, now: Instant): void {
    const { message } = admitted
    this.#bindings.refresh(message.id, now)
    const attempt = this.#attempt(admitted, now)
    if (attempt === undefined) return admitted.onRepeat((at) => this.#pass(admitted, at))
    this.#attempts.set(attempt.session, attempt, now)
    this.#base.count('punchPassed')
    this.#base.outbox.event({ type: 'punch', requester: message.id, target: message.target, state: 'passed' })
    this.#repeat(attempt, now)
    admitted.onRepeat((at) => this.#repeat(attempt, at))
  }

  #attempt({ message, source }: Admitted<PunchRequest>, now: Instant): Attempt | undefined {
    const requester = this.#bindings.at(message.id, source, now)
    const target = this.#bindings.get(message.target, now)
    if (requester === undefined || target === undefined) {
      this.#base.count(requester === undefined ? 'unbound' : 'targetAbsent')
      return undefined
    }
    const session = sessionIdFromBytes(this.#base.random.bytes(SESSION_BYTES))
    const { ext, op_code: _op, ...fields } = message
    const passed = this.#passedFields(ext, requester, target, target.knowsExtensions)
    const passRequest = encodeCounted(
      this.#base,
      { op_code: OP.punchPassRequest, ...fields, ...source, session, ...passed },
      target.encoding,
    )
    if (passRequest === undefined) return undefined
    const requesterKnowsExtensions = requester.knowsExtensions || hasExtensions(message)
    return {
      session,
      request: message,
      requesterKnowsExtensions,
      passRequest,
      state: 'passed',
      answers: [],
      repeats: 0,
    }
  }

  #passedFields(
    ext: PunchRequest['ext'],
    from: Binding,
    to: Binding,
    receiverKnowsExtensions: boolean,
  ): ReturnType<typeof passedFields> {
    return passedFields(ext, {
      receiverKnowsExtensions,
      sharesAddress: from.source.ip === to.source.ip,
      spki: from.spki,
    })
  }

  /** The same 0x112 until 0x114 came, then what came of it. */
  #repeat({ state, request, passRequest, answers }: Attempt, now: Instant): void {
    const consented = state === 'consented'
    const receiver = this.#bindings.get(consented ? request.id : request.target, now)
    if (receiver === undefined) return
    for (const bytes of consented ? answers : [passRequest]) this.#base.outbox.transmit(receiver.source, bytes)
  }

  /** 0x114: counts only from T's own address, for an attempt of which T was informed. */
  acknowledge(message: PunchAck, { source }: Datagram, now: Instant): void {
    const attempt = this.#attempts.get(message.session, now)
    const target = this.#bindings.at(message.id, source, now)
    if (target === undefined) return this.#base.count('unbound')
    if (attempt === undefined || !echoes(message, attempt.request)) return this.#base.count('unexpected')
    if (attempt.state === 'verifying') return this.#base.count('inProgress')
    if (attempt.state === 'consented') {
      if (attempt.repeats++ < MAX_ACK_REPEATS) this.#repeat(attempt, now)
      return this.#base.count('repeated')
    }
    if (!this.#base.rates.id.take(target.id, now)) return this.#base.count('rateLimited')
    const key = this.#base.keys.get(target.id) ?? this.#base.keys.learn(target.id, target.spki)
    if (key === undefined || message.sign.length !== key.signatureLength) return this.#base.count('badSignature')
    attempt.state = 'verifying'
    verify(this.#base, key, message, message.sign, (valid, at) => {
      attempt.state = valid ? 'consented' : 'passed'
      if (valid) this.#passBack(attempt, message, source, at)
    })
  }

  /** T's consent is good: 0x115 to R, wherever R is bound by now. */
  #passBack(attempt: Attempt, message: PunchAck, source: Datagram['source'], now: Instant): void {
    const target = this.#bindings.at(message.id, source, now)
    const requester = this.#bindings.get(attempt.request.id, now)
    this.#bindings.refresh(message.id, now)
    if (target === undefined || requester === undefined) return
    const { ext, op_code: _op, ...fields } = message
    const knows = attempt.requesterKnowsExtensions
    const passed = this.#passedFields(ext, target, requester, knows)
    const passAck = encodeCounted(
      this.#base,
      { op_code: OP.punchPassAck, ...fields, ...target.source, ...passed },
      requester.encoding,
    )
    if (passAck === undefined) return
    this.#base.count('punchConsented')
    this.#base.outbox.event({ type: 'punch', requester: requester.id, target: target.id, state: 'consented' })
    attempt.answers.push(passAck)
    this.#repeat(attempt, now)
    if (requester.source.ip === target.source.ip) this.#sameAddress(attempt, target.id, knows ? ext?.local : undefined)
  }

  /**
   * 0x113, signed by this relay: R and T share a public address, so R tries T's host candidates
   * first.
   */
  #sameAddress(attempt: Attempt, target: PeerId, local: NonNullable<PunchAck['ext']>['local']): void {
    const { id, seq, ts } = attempt.request
    const ext = local === undefined ? {} : { ext: { local } }
    const response = { op_code: OP.sameAddressResponse, target, id: this.#base.self.id, seq, ts, ...ext } as const
    sign(this.#base, response, (signed, now) => {
      const requester = this.#bindings.get(id, now)
      if (signed === undefined || requester === undefined) return
      const bytes = encodeCounted(this.#base, signed, requester.encoding)
      if (bytes === undefined) return
      attempt.answers.push(bytes)
      this.#base.outbox.transmit(requester.source, bytes)
    })
  }
}

/** Whether an acknowledgement is by the target of this request and echoes its (seq, ts). */
const echoes = ({ id, seq, ts }: PunchAck, request: PunchRequest): boolean =>
  id === request.target && seq === request.seq && ts === request.ts
