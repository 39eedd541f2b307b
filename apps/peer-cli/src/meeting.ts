/**
 * How the two ends of a transfer find each other. One of them waits: it prints a code where its relay
 * has a mailbox, its ticket otherwise. The other one has been told that, and calls. Either may be the
 * sender.
 */
import type { Connection, DialPolicy, PeerOptions, Stream } from '@showchain/client'
import { type CodeOffer, mailboxOf, offerCode, parseCode, takeCode } from '@showchain/mailbox'
import { type PeerId, parseTicket, ShowchainError, type Ticket } from '@showchain/wire'
import { idsOf, namedTicket, noneOf } from './contacts.ts'
import { UnreachableError, UsageError } from './failures.ts'
import { GOODBYE } from './goodbye.ts'
import { type PeerFlags, relaysOf, timeoutOf } from './open-peer.ts'
import { advised, reached, untilRegistered } from './reaching.ts'
import type { Session } from './session.ts'
import { Strangers } from './strangers.ts'
import { explained } from './waits.ts'

export interface WaitFlags extends PeerFlags {
  readonly allow?: readonly string[]
  /** Print the ticket, also where there is a mailbox. */
  readonly ticket?: boolean
  /** And as a QR code. */
  readonly qr?: boolean
}

/** Seconds for the one who used a code to connect, unless told otherwise. */
const CALL = 25

/** Who may connect to an end that waits. */
export class Door {
  readonly #allowed: readonly PeerId[] | undefined
  #open: 'nobody' | 'everyone' | PeerId = 'nobody'

  /** @throws UsageError */
  constructor(flags: WaitFlags) {
    this.#allowed = idsOf(flags)
  }

  readonly accept: Exclude<PeerOptions['accept'], string | readonly PeerId[] | undefined> = ({ id }) =>
    this.#mayEver(id) && (this.#open === 'everyone' || this.#open === id)

  /** To all that --allow names, or everyone without it. */
  openToAll(): void {
    this.#open = 'everyone'
  }

  /** To the one who used the code. @throws UnreachableError when that one is not allowed */
  openTo(id: PeerId): void {
    if (!this.#mayEver(id)) throw new UnreachableError(`the code was used by ${id}, which --allow does not name`)
    this.#open = id
  }

  #mayEver(id: PeerId): boolean {
    return this.#allowed === undefined || this.#allowed.includes(id)
  }
}

export interface Caller {
  readonly connection: Connection
  /** The first stream that it opened. */
  readonly stream: Stream
}

/**
 * Prints a code or the ticket, and waits for the first one who comes with it.
 * @param says what the other end runs with that, what is waited for, and whether somebody at a
 * terminal is asked about a stranger who has the ticket
 */
export async function waitForOther(
  session: Session,
  door: Door,
  flags: WaitFlags,
  says: { readonly command: string; readonly waiting: string; readonly asks: boolean },
): Promise<Caller> {
  const { output } = session
  await untilRegistered(session, flags)
  let strangers: Strangers | undefined
  const caller = firstCaller(session, async (connection) => (await strangers?.admits(connection)) ?? true)
  const offered = await offerAt(session, flags)
  if (offered === undefined) {
    const ticket = reachableTicket(session)
    if (says.asks) strangers = Strangers.of(output, flags)
    door.openToAll()
    output.invite('ticket', ticket, says.command)
    if (flags.qr === true && process.stderr.isTTY) output.draw((await import('uqr')).renderUnicodeCompact(ticket))
    return explained(output, says.waiting, caller)
  }
  await using code = offered
  output.invite('code', code.code, says.command)
  const { id } = await explained(output, says.waiting, code.taken)
  door.openTo(id)
  return explained(output, 'the code was right: waiting for a path', inTime(caller, timeoutOf(flags) ?? CALL * 1000))
}

/** @throws UsageError when nobody can reach this host */
function reachableTicket({ peer }: Session): string {
  const { ticket } = peer
  const { relays, addresses } = parseTicket(ticket)
  const found = (peer.inspect().lan?.links.length ?? 0) > 0
  if (relays.length + addresses.length === 0 && !found)
    throw new UsageError(
      'nobody can reach this host: name a relay with --relay or SHOWCHAIN_RELAY, or use --lan within one network',
    )
  return ticket
}

/** Mailboxes of the relays, in their order. */
const mailboxes = (flags: PeerFlags): readonly Ticket[] => relaysOf(flags).flatMap((relay) => mailboxOf(relay) ?? [])

/** A code, where there is a mailbox that gives one; a ticket does as well. */
async function offerAt({ peer, output }: Session, flags: WaitFlags): Promise<CodeOffer | undefined> {
  // Without a relay's help there is no way to a mailbox.
  if (flags.ticket === true || flags.qr === true || flags.policy === 'direct-only') return undefined
  for (const mailbox of mailboxes(flags)) {
    try {
      const offering = offerCode(peer, mailbox, { timeout: timeoutOf(flags) })
      return await explained(output, 'waiting for the mailbox', offering)
    } catch (error) {
      if (!(error instanceof ShowchainError)) throw error
      output.note('no-code', `no code from the mailbox, so here is the ticket: ${error.message}`, { code: error.code })
    }
  }
  return undefined
}

async function inTime(caller: Promise<Caller>, ms: number): Promise<Caller> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const error = new UnreachableError('the one who used the code did not connect')
    timer = setTimeout(reject, ms, error)
  })
  try {
    return await Promise.race([caller, late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * The first connection whose other end opens a stream; later ones are told that this end is busy. One
 * without a stream, such as a ping's, wants nothing.
 */
function firstCaller(session: Session, admits: (connection: Connection) => Promise<boolean>): Promise<Caller> {
  return new Promise((resolve, reject) => {
    let found = false
    const one = async (connection: Connection): Promise<void> => {
      const { value: stream, done } = await connection.streams.next()
      if (done || (!found && !(await admits(connection)))) return
      if (found) return connection.close({ code: GOODBYE.busy, reason: 'busy with another connection' })
      found = true
      resolve({ connection, stream })
    }
    const accepting = async (): Promise<void> => {
      for await (const connection of session.peer.incoming) {
        session.add(connection)
        void one(connection)
      }
    }
    accepting().catch(reject)
  })
}

/** What the other end printed: a code, or its ticket. @throws ShowchainError when it is neither */
export function checkInvitation(text: string, flags: PeerFlags): void {
  if (namedTicket(text, flags) !== undefined) return
  checkCode(text)
  if (flags.policy === 'direct-only')
    throw new UsageError('a mailbox is reached through its relay: with --policy direct-only use a ticket')
  if (mailboxes(flags).length > 0) return
  throw new UsageError(
    (flags.relay ?? []).length === 0
      ? 'a code needs the relay whose mailbox has it: name it with --relay or SHOWCHAIN_RELAY'
      : 'none of the relays has a mailbox: use the ticket instead, which --ticket prints at the other end',
  )
}

/** @throws UsageError what may be the name of a contact, ShowchainError `ERR_BAD_CODE` what no code is */
function checkCode(text: string): void {
  if (/^\p{L}\S*$/u.test(text)) throw noneOf(text, 'neither a contact nor a ticket nor a code such as 7-orbit-velvet')
  parseCode(text)
}

/** Connects to the one who printed a code or a ticket. */
export async function callOther(
  session: Session,
  text: string,
  flags: PeerFlags,
  via: DialPolicy | undefined,
  waiting: string,
): Promise<Connection> {
  const { peer, output } = session
  const timeout = timeoutOf(flags)
  const ticket = namedTicket(text, flags) ?? (await explained(output, 'waiting for the mailbox', taken()))
  const connection = await reached(session, { ticket, via, flags }, peer.connect(ticket, { via, timeout }), waiting)
  session.add(connection, text)
  return connection

  /** At the first mailbox that can be reached: a code is tried once. */
  async function taken(): Promise<Ticket> {
    let failure: unknown
    for (const mailbox of mailboxes(flags)) {
      try {
        return await takeCode(peer, mailbox, text, { timeout })
      } catch (error) {
        if (!(error instanceof ShowchainError && error.code === 'ERR_CONNECT_FAILED')) throw error
        failure = await advised(error, { ticket: mailbox, flags }, peer)
      }
    }
    throw new UnreachableError(`the mailbox cannot be reached: ${(failure as Error).message}`)
  }
}
