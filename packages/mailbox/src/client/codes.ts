/** Both ends of a code: one gets it from a mailbox, the other takes it, and each has the other's ticket. */
import type { Peer } from '@showchain/client'
import { nodeRuntime } from '@showchain/client/runtime'
import { ShowchainError, type Ticket } from '@showchain/wire'
import { formatCode, newWords, OfferRun, parseCode, RUN, type RunOptions, TakeRun } from '../core/index.ts'
import { Line, type MailboxOptions } from './line.ts'

/** Milliseconds that an end waits longer than the mailbox does. */
const PATIENCE = 5000
const SECOND = 1000

export interface CodeOffer extends AsyncDisposable {
  /** `7-orbit-velvet`: for the other end. Whoever has it first can be the other end. */
  readonly code: string
  /** Milliseconds in which it can be used. */
  readonly lifetime: number
  /**
   * The ticket of the one who used the code. It resolves before that one can connect.
   * @throws ShowchainError `ERR_CODE_WRONG`, `ERR_CODE_EXPIRED`, `ERR_CODE_SPENT`,
   *   `ERR_MAILBOX_FAILED`, `ERR_TIMEOUT`, `ERR_ABORTED`, `ERR_CLOSED`. The code is spent with any of
   *   them
   */
  readonly taken: Promise<Ticket>
  /** Gives the code back, unless it is spent; then the last word to the other end is sent first. */
  close(): Promise<void>
}

/** The ticket of a relay's mailbox; undefined when the relay has none. */
export function mailboxOf({ id, addresses, mailbox, websocket }: Ticket): Ticket | undefined {
  if (mailbox === undefined) return undefined
  return {
    id: mailbox,
    relays: addresses.map((address) => ({ ...{ id, address }, ...(websocket && { websocket }) })),
    addresses: [],
  }
}

function runOptions(peer: Peer, mailbox: Ticket, words: string, options: MailboxOptions): RunOptions {
  const { random, endToEnd } = options.runtime ?? nodeRuntime
  return { mailbox: mailbox.id, words, random, crypto: endToEnd, ticket: options.ticket ?? (() => peer.ticket) }
}

/**
 * Takes a slot at a mailbox.
 * @param mailbox as `mailboxOf` gives it
 * @throws ShowchainError `ERR_MAILBOX_BUSY`, `ERR_MAILBOX_FAILED`, and as `peer.connect`
 */
export async function offerCode(peer: Peer, mailbox: Ticket, options: MailboxOptions = {}): Promise<CodeOffer> {
  const runtime = options.runtime ?? nodeRuntime
  const words = newWords(runtime.random)
  const run = new OfferRun(runOptions(peer, mailbox, words, options))
  const line = await Line.open(peer, mailbox, run, runtime, options)
  try {
    const slot = await line.next(RUN)
    if (slot.type !== 'slot') throw new ShowchainError('ERR_MAILBOX_FAILED')
    const lifetime = slot.seconds * SECOND
    let leaving: Promise<void> | undefined
    const taken = ticketOf(line, lifetime + RUN + PATIENCE).finally(() => {
      leaving = line.leave()
    })
    // Who does not wait for it need not handle it.
    taken.catch(() => {})
    const close = (): Promise<void> => leaving ?? line.close()
    return { code: formatCode({ number: slot.number, words }), lifetime, taken, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await line.close()
    throw error
  }
}

/**
 * Uses a code. It counts for one try, whatever comes of it; only a word that no code has does not
 * spend it.
 * @param mailbox the one that gave it, as `mailboxOf` gives it
 * @returns the ticket of the one who offered the code
 * @throws ShowchainError `ERR_BAD_CODE`, `ERR_CODE_UNKNOWN`, `ERR_CODE_WRONG`, `ERR_CODE_SPENT`,
 *   `ERR_MAILBOX_BUSY`, `ERR_MAILBOX_FAILED`, `ERR_TIMEOUT`, and as `peer.connect`
 */
export async function takeCode(
  peer: Peer,
  mailbox: Ticket,
  code: string,
  options: MailboxOptions = {},
): Promise<Ticket> {
  const runtime = options.runtime ?? nodeRuntime
  const { number, words } = parseCode(code)
  const run = new TakeRun(number, runOptions(peer, mailbox, words, options))
  await using line = await Line.open(peer, mailbox, run, runtime, options)
  return await ticketOf(line, RUN + PATIENCE)
}

async function ticketOf(line: Line, wait: number): Promise<Ticket> {
  const event = await line.next(wait)
  if (event.type !== 'ticket') throw new ShowchainError('ERR_MAILBOX_FAILED')
  return event.ticket
}
