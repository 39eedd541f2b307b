/**
 * Who comes to a command that waits and is no contact: on a terminal a person is asked, before
 * anything is done for the connection. Its other end has proven its id by then. With --allow, or
 * without a terminal, nobody is asked: those come in whom --allow names, or everyone who has the ticket.
 */
import type { CloseOptions, Connection } from '@showchain/client'
import type { PeerId } from '@showchain/wire'
import { Contacts } from './contacts.ts'
import { GOODBYE } from './goodbye.ts'
import { describePath, type Output, short } from './output.ts'
import { ask, canAsk } from './question.ts'

type Ask = (question: string, signal: AbortSignal) => Promise<string>

/** Who is told no is not asked about again. After so many nobody is asked about: ids cost nothing. */
const MAX_REFUSED = 16
/** Strangers that wait for the answer about another one. */
const MAX_WAITING = 4
/** Times that a name is asked for. */
const NAMINGS = 3

const REFUSED: CloseOptions = { code: GOODBYE.refused, reason: 'not let in' }

export class Strangers {
  readonly #output: Output
  /** Undefined: nobody is asked. */
  readonly #ask: Ask | undefined
  /** Let in for this run; bounded by what a person answers. */
  readonly #known = new Set<PeerId>()
  readonly #refused = new Set<PeerId>()
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** @param question undefined: nobody is asked */
  constructor(output: Output, question: Ask | undefined) {
    this.#output = output
    this.#ask = question
  }

  /** For the flags of a command that waits. */
  static of(output: Output, { allow }: { readonly allow?: readonly string[] }): Strangers {
    return new Strangers(output, allow === undefined && canAsk() ? ask : undefined)
  }

  /** Whether somebody is asked. */
  get asks(): boolean {
    return this.#ask !== undefined
  }

  /** Whether something may be done for it; closes it otherwise. */
  async admits(connection: Connection): Promise<boolean> {
    if (this.#ask === undefined) return true
    const admitted = await this.#inTurn(connection, this.#ask)
    if (!admitted) await connection.close(REFUSED)
    return admitted
  }

  async #inTurn(connection: Connection, question: Ask): Promise<boolean> {
    if (this.#waiting >= MAX_WAITING) return false
    this.#waiting++
    const turn = this.#last.then(() => this.#isLetIn(connection, question))
    this.#last = turn.catch(() => {})
    try {
      return await turn
    } finally {
      this.#waiting--
    }
  }

  async #isLetIn(connection: Connection, question: Ask): Promise<boolean> {
    const { remoteId } = connection
    if (this.#known.has(remoteId) || new Contacts().nameOf(remoteId) !== undefined) return true
    if (this.#refused.has(remoteId) || this.#refused.size >= MAX_REFUSED) return false
    const gone = new AbortController()
    if (connection.end !== undefined) return false
    const stop = connection.on('close', () => gone.abort())
    try {
      const who = `${short(remoteId)} is no contact, and is connected ${describePath(connection)}.`
      const answer = await question(`${who}\nLet it in: once, always, or no? [o/a/N] `, gone.signal)
      if (connection.end !== undefined) return false
      if (!/^\s*(o(nce)?|a(lways)?)\s*$/i.test(answer)) {
        this.#refused.add(remoteId)
        return false
      }
      if (/^\s*a/i.test(answer)) await this.#addContact(remoteId, (text) => question(text, gone.signal))
      this.#known.add(remoteId)
      return connection.end === undefined
    } finally {
      stop()
    }
  }

  /** Without a name that can be taken, it is let in for this run. */
  async #addContact(id: PeerId, question: (text: string) => Promise<string>): Promise<void> {
    for (let tries = 0; tries < NAMINGS; tries++) {
      const name = (await question('Its name, for your contacts: ')).trim()
      if (name === '') return
      try {
        // As they are now: another program may have renewed them since the question.
        new Contacts().add(name, id)
        return
      } catch (error) {
        this.#output.note('warning', (error as Error).message)
      }
    }
  }
}
