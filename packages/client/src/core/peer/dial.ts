/**
 * One `connect`: every way that the policy and the ticket allow, tried at the same time. The first
 * that works opens the connection. The others go on and may find a better path. The dial fails when
 * all ways have failed.
 */

import { directSession } from '@showchain/crypto/core'
import { CAPS, type Endpoint, formatEndpoint, type Message, OP, type PeerId, type SessionId } from '@showchain/wire'
import { introduced, showPath, takeAnswer } from '../connections/hellos.ts'
import { openSession } from '../connections/open-session.ts'
import type { DialAttempt, DialId, DialPolicy, Via } from '../context/events.ts'
import { type PeerContext, signerKey } from '../context/peer-context.ts'
import { type Instant, later, type Route } from '../endpoint/machine.ts'
import type { Sent } from '../messages/outgoing-message.ts'
import type { PunchAttempts } from '../punch/punch-attempts.ts'
import { PunchRequester } from '../punch/punch-requester.ts'
import { requestProxy } from '../relays/proxy-requester.ts'
import type { Registration } from '../relays/registration.ts'
import type { RelayAddress } from '../relays/relay-route.ts'
import type { Transaction, Transactions } from '../requests/transaction.ts'
import type { EarlyBytes } from '../secure/early-bytes.ts'
import type { Greeting } from '../secure/hello.ts'
import { HANDSHAKE_TIME } from '../secure/limits.ts'
import { ABSENT, ELSEWHERE, EXCLUDED, IS_RELAY, NO_RELAY, SILENT } from './dial-failures.ts'
import { DialledConnection, type DialledConnectionOptions } from './dialled-connection.ts'
import { firstContact } from './first-contact.ts'
import { Patience } from './patience.ts'

/** Whom to connect to, and what is known of where it is. */
export interface DialTarget {
  readonly id: PeerId
  readonly policy: DialPolicy
  readonly addresses: readonly Route[]
  readonly relays: readonly RelayAddress[]
  /** What is said before the target answers. */
  readonly early?: EarlyBytes | undefined
}

export interface DialOptions extends DialledConnectionOptions {
  readonly id: DialId
  /** Where the target itself listens, as its ticket or its network says. */
  readonly addresses: readonly Route[]
  /** Where it was reached when both met last, if that is elsewhere. */
  readonly remembered: Endpoint | undefined
  readonly attempts: PunchAttempts
  /** Nothing is tried any more. */
  ended(now: Instant): void
}

type Entry = { -readonly [Key in keyof DialAttempt]: DialAttempt[Key] }

export class Dial {
  readonly options: DialOptions
  readonly #context: PeerContext
  readonly #transactions: Transactions
  readonly #connection: DialledConnection
  readonly #attempts: Entry[] = []
  readonly #closers: (() => void)[] = []
  /** Ways through a relay that wait for its introduction. */
  readonly #patience: Patience<Entry>
  /** Whether there are keys: the connection is what was dialled, whatever ways are still tried. */
  #agreed = false
  #reported = false
  #over = false

  constructor(context: PeerContext, transactions: Transactions, options: DialOptions) {
    this.#context = context
    this.#transactions = transactions
    this.options = options
    this.#connection = new DialledConnection(context, options, this.#attempts)
    this.#patience = new Patience(context.timers)
  }

  start(now: Instant): void {
    const { policy, addresses, remembered, relays } = this.options
    this.#connection.start(now)
    // Each entry stands before anything is tried, so that an instant failure does not end the dial early.
    const known = remembered === undefined ? addresses : [...addresses, remembered]
    const direct =
      policy === 'auto' || policy === 'direct-only' || policy === 'direct'
        ? known.map((address) => ({ address, entry: this.#enter('direct', formatEndpoint(address)) }))
        : []
    const punch =
      policy === 'auto' || policy === 'direct-only' || policy === 'punch'
        ? relays.map((relay) => ({ relay, entry: this.#enter('punch', `relay ${relay.relay.id}`) }))
        : []
    const relayed =
      policy === 'auto' || policy === 'relay-only'
        ? relays.map((relay) => ({ relay, entry: this.#enter('relay', `relay ${relay.relay.id}`) }))
        : []
    for (const { address, entry } of direct) this.#direct(address, entry, now)
    for (const { relay, entry } of punch) this.#punch(relay, entry, now)
    for (const { relay, entry } of relayed) this.#withRelay(relay, entry, now, (at) => this.#relay(relay, entry, at))
    this.#review(now)
  }

  /** What was tried so far, for people. */
  get attempts(): readonly DialAttempt[] {
    return this.#attempts.map((entry) => ({ ...entry }))
  }

  /** Whether its application has the connection. */
  get reported(): boolean {
    return this.#reported
  }

  /** Gives up. A connection that is open stays open. */
  cancel(now: Instant): void {
    for (const entry of this.#attempts)
      if (entry.state === 'trying') this.#settle(entry, 'failed', 'timed out or cancelled', now)
  }

  #enter(via: Via, at: string): Entry {
    const entry: Entry = { via, at, state: 'trying', why: undefined }
    this.#attempts.push(entry)
    return entry
  }

  /** A way is good when data can flow. */
  #settle(entry: Entry, state: 'reached' | 'failed', why: string | undefined, now: Instant): void {
    if (state === 'failed') return this.#end(entry, 'failed', why, now)
    const connection = this.#connection.get(now)
    const { allowsRelay, allowsDirect } = connection.paths
    if (!(entry.via === 'relay' ? allowsRelay : allowsDirect)) return this.#end(entry, 'failed', EXCLUDED, now)
    const patience = this.#context.timers.set(later(now, HANDSHAKE_TIME), (at) =>
      this.#end(entry, 'failed', SILENT, at),
    )
    this.#closers.push(() => patience.cancel())
    connection.whenReady((reason, at) => this.#end(entry, reason === undefined ? 'reached' : 'failed', reason, at), now)
  }

  #end(entry: Entry, state: 'reached' | 'failed', why: string | undefined, now: Instant): void {
    if (entry.state !== 'trying') return
    Object.assign(entry, { state, why })
    const what = `${entry.via} by ${entry.at}: ${why ?? state}`
    this.#context.outbox.event({ type: 'note', remoteId: this.options.target, what, attempt: { ...entry } })
    this.#review(now)
  }

  /** Reports the first success or the last failure. */
  #review(now: Instant): void {
    const { id } = this.options
    const trying = this.#attempts.some((entry) => entry.state === 'trying')
    const open = (this.#agreed || !trying) && this.#openAsWanted
    if (!this.#reported && (open || this.#attempts.some((entry) => entry.state === 'reached'))) {
      this.#reported = true
      this.#context.outbox.event({ type: 'dialed', dial: id, connection: this.#connection.get(now).handle })
    }
    if (trying || this.#over) return
    this.#over = true
    if (!this.#reported) this.#context.outbox.event({ type: 'dialFailed', dial: id, attempts: this.attempts })
    this.#connection.make(now)
    this.#patience.close()
    for (const close of this.#closers) close()
    this.options.ended(now)
  }

  /** Where the question of each way was lost, its connection may be open all the same. */
  get #openAsWanted(): boolean {
    const connection = this.#connection.known
    return connection?.open === true && (connection.paths.allowsRelay || connection.paths.hasDirect)
  }

  #withRelay(registration: Registration, entry: Entry, now: Instant, go: (now: Instant) => void): void {
    registration.whenReady((ready, why, at) => {
      if (ready) go(at)
      else this.#settle(entry, 'failed', `not registered with it: ${why}`, at)
    }, now)
  }

  /**
   * 0x101 straight to an address. Where the target was before, it also opens this end's NAT for what
   * the target sends from there; somebody else may have that address by now, who is not asked long.
   */
  #direct(address: Route, entry: Entry, now: Instant): void {
    const { target, remembered } = this.options
    this.#connection.dial(now)
    const transaction: Transaction = this.#transactions.start({
      to: address,
      request: (stamp, cookie) => firstContact(this.#context, target, stamp, cookie, this.#connection.helloFor(stamp)),
      answered: (message: Message) => {
        if (message.op_code !== OP.directResponse || message.id !== target) return
        const key = signerKey(this.#context, target, message)
        if (key === undefined) return this.#context.count('unknownKey')
        transaction.verify(key, message, (now) => {
          transaction.close()
          this.#context.acquaintances.keepToken(target, message.ext?.token)
          if (((message.ext?.caps ?? 0) & CAPS.channel) !== 0) return this.#settle(entry, 'failed', IS_RELAY, now)
          const { provider, self, seedMode, pumps, outbox } = this.#context
          let greeting: Greeting | undefined
          // Once the application has the path, the first records show that it is there.
          pumps.once((at) => showPath(this.options.connections, target, greeting && message.sign, at), now)
          greeting = takeAnswer(this.#connection.get(now), message.ext?.hello, now)
          const session = directSession(provider, { requester: self, responder: target, ...transaction.stamp })
          this.#connection.get(now).update(({ direct }) => {
            direct.learnCaps(seedMode ? 0 : (message.ext?.caps ?? 0))
            direct.found(session, address, key, 'the remote peer answered at its address', now)
          }, now)
          this.#settle(entry, 'reached', undefined, now)
          outbox.pause()
        })
      },
      sent: (at) => {
        if (address !== remembered || !this.#reported) return
        transaction.close()
        this.#settle(entry, 'failed', ELSEWHERE, at)
      },
      failed: (why, now) => this.#settle(entry, 'failed', `${why}: ${ABSENT}`, now),
    })
    this.#closers.push(() => transaction.close())
  }

  /** 0x111 and what follows. @param entry undefined: not for a direct path, and no address is shown */
  #punch(registration: Registration, entry: Entry | undefined, now: Instant): void {
    const { target, registrations, attempts } = this.options
    const request = new PunchRequester(this.#context, this.#transactions, {
      ...{ target, registration, registrations, attempts },
      concealed: entry === undefined,
      knowsExtensions: this.#connection.known?.paths.direct.speaksExtensions === true,
      begins: (at) => registration.knowsExtensions && this.#connection.dial(at),
      hello: (stamp) => this.#connection.helloFor(stamp),
      answered: (hello, session, at) => this.#introduced(registration, hello, session, at),
      done: (why, at) => entry && this.#settle(entry, why === undefined ? 'reached' : 'failed', why, at),
    })
    this.#closers.push(() => request.close())
    request.start(now)
  }

  /** The remote peer agreed to an introduction: its session may be a path, and its hello give keys. */
  #introduced(registration: Registration, hello: Uint8Array | undefined, session: SessionId, now: Instant): void {
    const connection = this.#connection.get(now)
    const greeting = takeAnswer(connection, hello, now)
    const relayed = greeting !== undefined && introduced(connection, greeting, session, registration, now)
    const entry = this.#patience.end(registration)
    if (entry !== undefined && relayed) this.#settle(entry, 'reached', undefined, now)
    else if (entry !== undefined && greeting?.mayRelay === false) this.#settle(entry, 'failed', NO_RELAY, now)
    else if (entry !== undefined) this.#proxy(registration, entry)
    if (greeting === undefined) return
    this.#agreed = true
    this.#review(now)
  }

  /** Through the relay that introduces both ends: in that session, else in one that it is asked for. */
  #relay(registration: Registration, entry: Entry, now: Instant): void {
    const concealed = this.options.policy === 'relay-only'
    if (concealed && registration.conceals) this.#connection.dial(now)
    const may = concealed ? registration.conceals : registration.introduces
    if (!may || !this.#connection.hasHello) return this.#proxy(registration, entry)
    if (concealed) this.#punch(registration, undefined, now)
    this.#patience.wait(registration, entry, () => this.#proxy(registration, entry), now)
  }

  /** 0x121, then what the remote peer acknowledges, if it is there. */
  #proxy(registration: Registration, entry: Entry): void {
    const { target } = this.options
    const transaction = requestProxy(this.#context, this.#transactions, registration, target, (session, why, now) => {
      if (session === undefined) return this.#settle(entry, 'failed', `${why} from the relay`, now)
      const opened: Sent = (failure, at) => {
        const why = failure && 'nothing was acknowledged: the remote peer is absent, or refuses'
        this.#settle(entry, failure === undefined ? 'reached' : 'failed', why, at)
      }
      openSession(this.#connection.get(now), session, registration, opened, now)
    })
    this.#closers.push(() => transaction.close())
  }
}
