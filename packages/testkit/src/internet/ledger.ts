/**
 * What one node sent to each address and had from it, and the rule over it (docs/protocol.md,
 * Addresses): bytes sent to an address that is not validated ≤ bytes received from it, and datagrams
 * with records likewise. The ledger
 * sits between a machine and the network and judges by itself who is validated: by a cookie, or the
 * name of a session, that came back from where it was sent.
 */
import { BIRTHDAY_PROBES, MAX_PROBES, MAX_UNSEEN_PROBES } from '@showchain/client/core'
import type { DatagramSocket } from '@showchain/client/runtime'
import {
  CHANNEL_BYTE,
  decode,
  type Endpoint,
  formatEndpoint,
  isStun,
  type Message,
  OP,
  type PeerId,
  RECORD_BYTE,
  toBase64url,
} from '@showchain/wire'
import { CHALLENGE_BYTES, CHANNEL_HEADER_BYTES, RECORD_OVERHEAD } from '@showchain/wire/end-to-end'

interface Account {
  sent: number
  received: number
  /** The same in datagrams with records. */
  readonly records: { sent: number; received: number }
  /** Why more may be sent than came; undefined: it may not. */
  validated: 'cookie' | 'session' | 'called' | 'announced' | 'trusted' | 'verified' | 'answered' | undefined
  /** A 0x101 came from there by a peer that a relay introduced. */
  introduced: boolean
  /** Packets of this attempt that went out before anything had come. */
  unheard: number
  /** Probes that it may get while it says nothing. */
  probes: number
  /** The attempt that announced it last. */
  attempt: string | undefined
  /** A record was sent there before the address was validated, or a 0x102 with a hello: a path challenge. */
  challenged: boolean
  readonly cookies: Set<string>
  /** That were named there. */
  readonly sessions: Set<string>
}

/** Whether it is a record or a channel frame. */
const isProtected = (bytes: Uint8Array): boolean => bytes[0] === RECORD_BYTE || bytes[0] === CHANNEL_BYTE

/** The lengths of a record with PATH_RESPONSE, alone and with PATH_CHALLENGE. */
const PATH_RECORDS: readonly number[] = [1, 2].map((frames) => RECORD_OVERHEAD + frames * (1 + CHALLENGE_BYTES))
/** Of a 0x100 in binary. */
const MAX_PROBE_BYTES = 51

export interface LedgerOptions {
  readonly name: string
  /**
   * Whether this node calls others of its own accord, as a peer does: addresses that it dials, that
   * a relay announced, and those of the other end of a punch attempt count as validated by that. A
   * relay calls no address.
   */
  readonly calls: boolean
  /** Addresses that need no proof: peers in seed mode, whose signature stands for it. */
  readonly trusts: (endpoint: Endpoint) => boolean
}

export class Ledger {
  readonly violations: string[] = []
  readonly #options: LedgerOptions
  /**
   * By address that a relay announced: keep-alives to ports of it that were not announced, and more
   * than eight to the one that was.
   */
  readonly #birthdays = new Map<string, number>()
  /** Peers that a relay introduced. */
  readonly #introduced = new Set<PeerId>()
  readonly #accounts = new Map<string, Account>()

  constructor(options: LedgerOptions) {
    this.#options = options
  }

  /** The node is about to call this address by itself. */
  called(endpoint: Endpoint): void {
    const account = this.#account(endpoint)
    if (account.validated === undefined || account.validated === 'announced') account.validated = 'called'
  }

  tap(socket: DatagramSocket): DatagramSocket {
    return {
      get localEndpoints() {
        return socket.localEndpoints
      },
      send: (to, bytes) => {
        this.#sent(to, bytes)
        socket.send(to, bytes)
      },
      onDatagrams: (receive) =>
        socket.onDatagrams((batch) => {
          for (const { source, bytes } of batch) this.#received(source, bytes)
          receive(batch)
        }),
      close: () => socket.close(),
    }
  }

  #received(source: Endpoint, bytes: Uint8Array): void {
    const account = this.#account(source)
    account.received += bytes.length
    if (isProtected(bytes)) account.records.received++
    if (account.challenged && PATH_RECORDS.includes(bytes.length)) account.validated ??= 'answered'
    if (bytes[0] === CHANNEL_BYTE && account.sessions.has(toBase64url(bytes.subarray(1, CHANNEL_HEADER_BYTES))))
      account.validated ??= 'session'
    const decoded = decode(bytes)
    if (!decoded.ok) return
    const { message } = decoded
    if ('session' in message && account.sessions.has(message.session)) account.validated ??= 'session'
    // Punch safety: a keep-alive of the other end of an attempt may be answered by a record of its length.
    if (message.op_code === OP.keepAlive) account.records.received++
    const cookie = message.ext?.cookie
    if (cookie !== undefined && account.cookies.has(toBase64url(cookie))) account.validated ??= 'cookie'
    if (this.#options.calls) this.#announced(message, account)
  }

  #sent(to: Endpoint, bytes: Uint8Array): void {
    const account = this.#account(to)
    const { name, calls, trusts } = this.#options
    const decoded = decode(bytes)
    if (!decoded.ok) return this.#sentOther(to, account, bytes)
    const { message } = decoded
    if (message.op_code === OP.challenge) account.cookies.add(toBase64url(message.cookie))
    if (!calls && 'session' in message) account.sessions.add(message.session)
    // What answers a stranger asks it for a proof.
    if (calls && message.op_code === OP.directResponse && message.ext?.hello !== undefined) account.challenged = true
    if (trusts(to)) account.validated ??= 'trusted'
    if (message.op_code === OP.keepAlive && this.#isBirthday(to, account, bytes.length)) return
    account.sent += bytes.length
    if (account.received === 0) account.unheard++
    if (account.validated === undefined && account.sent > account.received)
      this.violations.push(
        `${name} sent ${account.sent} bytes to ${formatEndpoint(to)}, which is not validated and sent ${account.received}`,
      )
    // Punch safety: an introduced peer that signed a 0x101 is at its source; an answer to it means
    // that it was verified.
    if (calls && message.op_code === OP.directResponse && account.introduced) account.validated ??= 'verified'
    if (calls && account.validated === 'announced') this.#checkProbes(to, account, message.op_code === OP.keepAlive)
  }

  /** Punch safety: a place that was announced and says nothing gets a few probes. */
  #checkProbes(to: Endpoint, { received, unheard, probes }: Account, isProbe: boolean): void {
    if (received > 0 || (isProbe && unheard <= probes)) return
    this.violations.push(`${this.#options.name} sent packet ${unheard} to ${formatEndpoint(to)}, which never answered`)
  }

  /**
   * Birthday probing has a budget of its own, for an address that a relay announced. It may come upon a port that
   * was announced, too: what goes there beyond that one's own budget is of this one.
   */
  #isBirthday(to: Endpoint, account: Account, length: number): boolean {
    const sent = this.#birthdays.get(to.ip)
    if (sent === undefined || account.sent + length <= account.received) return false
    if (account.validated !== undefined && (account.received > 0 || account.unheard < account.probes)) return false
    this.#birthdays.set(to.ip, sent + 1)
    if (sent + 1 > BIRTHDAY_PROBES + MAX_PROBES)
      this.violations.push(`${this.#options.name} sent ${sent + 1} probes to ports of ${to.ip}`)
    return true
  }

  /**
   * STUN has a budget of its own, since its answers are longer than its requests (docs/protocol.md,
   * STUN).
   */
  #sentOther(to: Endpoint, account: Account, bytes: Uint8Array): void {
    if (isStun(bytes)) return
    if (!isProtected(bytes)) throw new Error(`${this.#options.name} sent what is neither a message nor STUN.`)
    if (bytes.length <= MAX_PROBE_BYTES && this.#isBirthday(to, account, bytes.length)) return
    account.sent += bytes.length
    if (account.received === 0) account.unheard++
    if (account.validated === 'announced') this.#checkProbes(to, account, bytes.length <= MAX_PROBE_BYTES)
    if (account.validated !== undefined) return
    account.challenged = true
    account.records.sent++
    const { sent, received } = account.records
    if (account.sent > account.received || sent > received)
      this.violations.push(
        `${this.#options.name} sent ${account.sent} bytes in ${sent} records to ${formatEndpoint(to)}, which is not validated and sent ${account.received} in ${received}`,
      )
  }

  #announced(message: Message, source: Account): void {
    if (message.op_code === OP.directRequest && this.#introduced.has(message.id)) source.introduced = true
    const endpoints: Endpoint[] = [...(message.ext?.local ?? [])]
    const further = (message.ext?.also ?? []).filter((each) => {
      const { validated, probes } = this.#account(each)
      return validated === undefined || (validated === 'announced' && probes === MAX_UNSEEN_PROBES)
    })
    if (message.op_code === OP.punchPassRequest || message.op_code === OP.punchPassAck) {
      endpoints.push({ ip: message.ip, port: message.port })
      if (this.#account(message).attempt !== message.session) this.#birthdays.set(message.ip, 0)
      for (const endpoint of further) this.#account(endpoint).probes = MAX_UNSEEN_PROBES
      for (const endpoint of endpoints) this.#account(endpoint).probes = MAX_PROBES
      endpoints.push(...further)
      for (const account of endpoints.map((endpoint) => this.#account(endpoint))) {
        if (account.attempt !== message.session) account.unheard = 0
        account.attempt = message.session
      }
      this.#introduced.add(message.id)
    }
    for (const endpoint of endpoints) this.#account(endpoint).validated ??= 'announced'
  }

  #account(endpoint: Endpoint): Account {
    const key = formatEndpoint(endpoint)
    const known = this.#accounts.get(key)
    if (known !== undefined) return known
    const account: Account = {
      sent: 0,
      received: 0,
      records: { sent: 0, received: 0 },
      validated: undefined,
      unheard: 0,
      probes: MAX_PROBES,
      introduced: false,
      challenged: false,
      attempt: undefined,
      cookies: new Set(),
      sessions: new Set(),
    }
    this.#accounts.set(key, account)
    return account
  }
}
