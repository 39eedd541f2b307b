/**
 * The direct path of one connection: where the other end answered, what it takes there, and how it is kept
 * alive. Both ends may find one of their own; then that of the smaller id counts, and the other end takes it.
 */
import type { PublicKey } from '@showchain/crypto/core'
import { CAPS, type Encoding, formatEndpoint, type SessionId } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { Instant, Route } from '../endpoint/machine.ts'
import { sameRoute } from '../endpoint/route.ts'
import type { MessageSession, OutgoingMessage } from '../messages/message-session.ts'
import type { MessageSessions } from '../messages/message-sessions.ts'
import { KeepAlive } from '../relays/keep-alive.ts'

export interface DirectPathOptions {
  readonly channels: MessageSessions
  /** Whether this end's path counts when each found one. */
  readonly leads: boolean
  note(what: string): void
  /** Data came on a direct path. */
  established(reason: string, now: Instant): void
  /** Nothing comes back on it any more. @param unsent what waited to be sent there. */
  died(unsent: readonly OutgoingMessage[], now: Instant): void
}

interface Current {
  readonly route: Route
  readonly keepAlive: KeepAlive
  channel: MessageSession
}

export class DirectPath {
  readonly #context: PeerContext
  readonly #options: DirectPathOptions
  #current: Current | undefined
  /** Whether the other end takes data on a direct path, as far as it told. */
  #takesData: boolean | 'asked' | undefined

  constructor(context: PeerContext, options: DirectPathOptions) {
    this.#context = context
    this.#options = options
  }

  get route(): Route | undefined {
    return this.#current?.route
  }

  get channel(): MessageSession | undefined {
    return this.#current?.channel
  }

  /** Whether something that was sent on it is not answered. */
  get doubted(): boolean {
    return this.#current?.keepAlive.doubted === true
  }

  /** Whether data may go there: not to an end in seed mode, or before one has said what it can do. */
  get carriesData(): boolean {
    const refused = this.#context.seedMode || this.#takesData === false || this.awaitsCaps
    return this.#current !== undefined && !refused
  }

  /** The other end showed that it knows extensions, and takes data. */
  get speaksExtensions(): boolean {
    return this.#takesData === true
  }

  get awaitsCaps(): boolean {
    return this.#takesData === 'asked'
  }

  /** What the other end said of itself; undefined: nothing. */
  learnCaps(caps: number | undefined): void {
    if (caps !== undefined) this.#takesData = (caps & CAPS.directData) !== 0
  }

  /** Whether somebody has to ask the other end what it can do; until then messages wait, where no relay carries them. */
  awaitCaps(): boolean {
    if (this.#takesData !== undefined || this.#context.seedMode) return false
    this.#takesData = 'asked'
    return true
  }

  /** 0x101/0x102 succeeded on this route: data goes there under this session. */
  add(session: SessionId, route: Route, key: PublicKey, now: Instant): void {
    const channel = this.expect(session, route, key)
    const known = this.#current
    if (known !== undefined && sameRoute(known.route, route)) {
      known.channel = channel
      return
    }
    this.drop()
    this.#current = { route, channel, keepAlive: new KeepAlive(this.#context, route, now, (at) => this.fail(at)) }
    this.#options.note(`direct path to ${formatEndpoint(route)}`)
  }

  /** Tells the other end of the path that was found: it may have none, or another than counts. */
  announce(now: Instant): void {
    if (this.#takesData === true) this.#current?.channel.send({ bytes: new Uint8Array(0), done: () => {} }, now)
  }

  /** The other end's 0x101 was answered there: it may send data under this session. */
  expect(session: SessionId, route: Route, key: PublicKey): MessageSession {
    const { channels, leads, established } = this.#options
    const known = channels.get(session)
    if (known !== undefined) return known
    const channel = channels.add(
      { id: session, to: route, directKey: key, consented: true },
      {
        sent: (now) => this.#through(channel)?.keepAlive.sent(now),
        doubted: (now) => this.#through(channel)?.keepAlive.suspect(now),
        lost: () => {},
        delivered: (now) => {
          this.#takesData = true
          // Data came under a session that only our answer can have told of: the path works both ways.
          if (this.#current === undefined || (!leads && !sameRoute(this.#current.route, route)))
            this.add(session, route, key, now)
          established('data came on a direct path', now)
        },
      },
    )
    return channel
  }

  /** The other end answered at another address than before: its NAT gave it a new one. */
  rebind(route: Route, now: Instant): void {
    const current = this.#current
    const key = current?.channel.options.directKey
    if (current === undefined || key === undefined) return
    const { session } = current.channel.options
    this.#options.channels.drop(current.channel)
    this.#current = undefined
    current.keepAlive.stop()
    this.add(session, route, key, now)
  }

  /** Whether it goes through this socket of ours. */
  usesSocket(socket: number): boolean {
    return this.#current?.route.socket === socket
  }

  /** A datagram came from an address of the other end; true when it came on this path. */
  heardAt(source: Route, now: Instant): boolean {
    if (this.#current === undefined || !sameRoute(this.#current.route, source)) return false
    this.#current.keepAlive.heard(now)
    return true
  }

  /** The other end keeps it alive. */
  keptAlive(encoding: Encoding, now: Instant): void {
    this.#current?.keepAlive.echo(encoding, now)
  }

  suspect(now: Instant): void {
    this.#current?.keepAlive.suspect(now)
  }

  /** It is dead. */
  fail(now: Instant): void {
    const unsent = this.#current?.channel.takeQueued() ?? []
    this.drop()
    this.#options.note('the direct path is dead: nothing comes back on it')
    this.#options.died(unsent, now)
  }

  /** Without a word, with the socket that it had for itself. */
  drop(): void {
    this.#current?.keepAlive.stop()
    this.#context.sockets.close(this.#current?.route.socket)
    this.#current = undefined
  }

  #through(channel: MessageSession): Current | undefined {
    return this.#current?.channel === channel ? this.#current : undefined
  }
}
