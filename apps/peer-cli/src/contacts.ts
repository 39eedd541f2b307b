/**
 * Names for peers, and the tickets with which they were added: `contacts.json` beside the default
 * identity. A name stands for its ticket.
 */
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Path } from '@showchain/client'
import { parseCode } from '@showchain/mailbox/core'
import { type PeerId, parsePeerId, parseTicket, peerIdSchema, printable, quote, type Ticket } from '@showchain/wire'
import * as z from 'zod'
import { contactsFile } from './defaults.ts'
import { UsageError } from './failures.ts'
import { type Known, reachedBy, seenOn } from './last-seen.ts'
import { didYouMean } from './near.ts'
import type { PeerFlags } from './open-peer.ts'
import { replacePrivateFile } from './private-file.ts'
import { nameOf, type Sourced } from './sources.ts'

const VERSION = 1
/** A person has fewer; a contact takes some hundred bytes. */
const MAX_CONTACTS = 4096
const MAX_FILE_BYTES = 16 * 1024 * 1024
/** Nothing that a ticket, a code, an option or a shell could be meant by. */
const NAME = /^\p{L}[\p{L}\p{N}._-]{0,63}$/u

/** `ticket` is that with which it was added or reached last; undefined: only its id was told. */
export type Contact = Known

const entrySchema = z.strictObject({ id: peerIdSchema, ticket: z.string().optional(), seen: z.string().optional() })
const schema = z.strictObject({
  version: z.literal(VERSION),
  contacts: z.record(z.string().regex(NAME), entrySchema),
})

export class Contacts {
  readonly #path: string
  readonly #entries: Map<string, Contact>

  /** @throws UsageError the file is not what this program wrote, or cannot be read */
  constructor(path: string = contactsFile()) {
    this.#path = path
    this.#entries = read(path)
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()]
  }

  /** By name, in order. */
  get all(): readonly (readonly [name: string, contact: Contact])[] {
    return [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  get(name: string): Contact | undefined {
    return this.#entries.get(name)
  }

  /** The first one in order. */
  nameOf(id: PeerId): string | undefined {
    return this.all.find(([, contact]) => contact.id === id)?.[0]
  }

  /** @param text a ticket or an id. @throws UsageError, ShowchainError */
  add(name: string, text: string): Contact {
    checkName(name)
    const contact = text.includes(':') ? { id: parseTicket(text).id, ticket: text } : { id: parsePeerId(text) }
    const known = this.#entries.get(name)
    if (known !== undefined && known.id !== contact.id)
      throw new UsageError(`${name} is another peer, ${known.id}: remove it first, or take another name`)
    if (known === undefined && this.#entries.size >= MAX_CONTACTS)
      throw new UsageError(`there are ${MAX_CONTACTS} contacts already`)
    this.#entries.set(name, { ...known, ...contact })
    this.#save()
    return contact
  }

  /** A connection with this peer was authenticated. @param called the ticket that it was called with, if not by name */
  met(id: PeerId, path: Path, called: string | undefined): void {
    let changed = false
    for (const [name, known] of this.#entries) {
      if (known.id !== id) continue
      const next = { ...known, ...(called === undefined ? {} : { ticket: called }), seen: seenOn(path, known) }
      if (next.ticket === known.ticket && next.seen === known.seen) continue
      this.#entries.set(name, next)
      changed = true
    }
    if (changed) this.#save()
  }

  /** @throws UsageError */
  rename(name: string, next: string): void {
    const contact = this.#known(name)
    checkName(next)
    const taken = this.#entries.get(next)
    if (taken !== undefined)
      throw new UsageError(`${next} is another contact, ${taken.id}: remove it first, or take another name`)
    this.#entries.delete(name)
    this.#entries.set(next, contact)
    this.#save()
  }

  /** @throws UsageError */
  remove(name: string): void {
    this.#known(name)
    this.#entries.delete(name)
    this.#save()
  }

  #known(name: string): Contact {
    const contact = this.#entries.get(name)
    if (contact === undefined) throw new UsageError(`there is no contact ${quote(name)}${didYouMean(name, this.names)}`)
    return contact
  }

  #save(): void {
    const list = { version: VERSION, contacts: Object.fromEntries(this.all) }
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
      replacePrivateFile(this.#path, `${JSON.stringify(list, null, 2)}\n`)
    } catch (error) {
      throw new UsageError(`${this.#path} cannot be written: ${(error as Error).message}`, { cause: error })
    }
  }
}

/** @throws UsageError */
function checkName(name: string): void {
  if (!NAME.test(name))
    throw new UsageError(
      `a name begins with a letter, and has 1 to 64 letters, digits, dots, hyphens and underscores, not ${quote(name)}`,
    )
}

function read(path: string): Map<string, Contact> {
  let text: string
  try {
    if (statSync(path).size > MAX_FILE_BYTES) throw new UsageError(`${path} is too large to be a list of contacts`)
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map()
    throw error instanceof UsageError ? error : new UsageError(`${path} cannot be read: ${(error as Error).message}`)
  }
  try {
    return new Map(Object.entries(schema.parse(JSON.parse(text)).contacts))
  } catch {
    throw new UsageError(
      `${path} is no list of contacts of this version of showchain: see what is in it, or move it away`,
    )
  }
}

export const isTicket = (text: string): boolean => text.trim().startsWith('showchain:')

/** Whether an id is enough: where LAN discovery is on. */
type ById = Pick<PeerFlags, 'lanDiscovery'>

const byId = (id: PeerId): Ticket => ({ id, relays: [], addresses: [] })

/**
 * What an argument names: a ticket, a contact, or an id that LAN discovery may find; undefined: none of them.
 * @throws UsageError only the id of the contact is known, ShowchainError `ERR_BAD_TICKET`
 */
export function namedTicket(text: string, flags: ById): Ticket | undefined {
  if (isTicket(text)) return parseTicket(text)
  const finds = flags.lanDiscovery !== false
  const id = finds ? peerIdSchema.safeParse(text).data : undefined
  return contactTicket(text, finds) ?? (id && byId(id))
}

/** The ticket of the contact with this name; undefined: there is none. @throws UsageError only its id is known */
function contactTicket(name: string, finds: boolean): Ticket | undefined {
  const contact = NAME.test(name) ? new Contacts().get(name) : undefined
  if (contact === undefined) return undefined
  const ticket = reachedBy(contact) ?? (finds ? byId(contact.id) : undefined)
  if (ticket === undefined)
    throw new UsageError(`of ${printable(name)} only the id is known: showchain contact add ${printable(name)} TICKET`)
  return ticket
}

/** Keeps where a contact was reached, if there are contacts. @throws as `Contacts` does, and node:fs */
export function contactMet(id: PeerId, path: Path, called: string | undefined): void {
  if (existsSync(contactsFile())) new Contacts().met(id, path, called)
}

/** As `namedTicket`, where nothing else will do. @throws UsageError, ShowchainError `ERR_BAD_TICKET` */
export function ticketOf(text: string, flags: ById): Ticket {
  const ticket = namedTicket(text, flags)
  if (ticket !== undefined) return ticket
  if (isCode(text))
    throw new UsageError(`${quote(text)} is a code, which \`receive\` and \`send --to\` take: here a ticket is needed`)
  if (peerIdSchema.safeParse(text).success)
    throw new UsageError(`${quote(text)} is only an id, by which nobody is found without LAN discovery: use the ticket`)
  throw noneOf(text, 'neither a contact nor a ticket')
}

function isCode(text: string): boolean {
  try {
    parseCode(text)
    return true
  } catch {
    return false
  }
}

/** @param what that the text is none of. @param where the text is from, with what leads to it */
export const noneOf = (text: string, what: string, where = ''): UsageError =>
  new UsageError(`${where}${quote(text)} is ${what}${didYouMean(text, new Contacts().names)}`)

export interface AllowFlags extends Sourced {
  readonly allow?: readonly string[]
}

/** The ids that --allow has, or contacts that it names; undefined without it. @throws UsageError */
export function idsOf(flags: AllowFlags): readonly PeerId[] | undefined {
  const contacts = new Contacts()
  return flags.allow?.map((text) => {
    const id = contacts.get(text)?.id ?? peerIdSchema.safeParse(text).data
    if (id === undefined)
      throw noneOf(
        text,
        'neither a contact nor the id of a peer, which has 43 characters',
        `${nameOf(flags, 'allow')}: `,
      )
    return id
  })
}

/** Who may connect, by --allow. @throws as `idsOf` */
export const acceptOf = (flags: AllowFlags): 'everyone' | readonly PeerId[] => idsOf(flags) ?? 'everyone'
