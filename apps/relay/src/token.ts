/** `showchain-relay token`: makes a ticket that lets its holder in, where access is `token`. */
import { type Identity, type PermitTerms, readPermit } from '@showchain/crypto'
import { permitTicket } from '@showchain/server/runtime'
import { fromBase64url, parsePeerId, parseTicket, quote, ShowchainError } from '@showchain/wire'
import type { Command } from 'commander'
import { configFrom, UsageError } from './config.ts'
import { IdCommand } from './id-command.ts'
import { identityAt } from './identity.ts'
import { logger } from './log.ts'
import { parseSize } from './quota-texts.ts'

const DAY_MS = 86_400_000
/** Ten years. */
const MAX_DAYS = 3650
const DEFAULT_DAYS = '30'

interface TokenFlags {
  readonly id?: string
  readonly days: string
  readonly bytes?: string
}

/** Of a flag. @throws UsageError that names it */
function read<Value>(flag: keyof TokenFlags, parse: () => Value): Value {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(`token --${flag}: ${(error as Error).message}`, { cause: error })
  }
}

function parseDays(text: string): number {
  const days = Number(text)
  if (!/^[0-9.]+$/.test(text) || !(days > 0 && days <= MAX_DAYS))
    throw new Error(`${quote(text)} is not a number of days up to ${MAX_DAYS}`)
  return days
}

function parseBytes(text: string): number {
  const bytes = parseSize(text)
  if (bytes < 1 || bytes > Number.MAX_SAFE_INTEGER) throw new Error(`${quote(text)} is not an amount`)
  return bytes
}

function ticketOf(identity: Identity, ticket: string, terms: PermitTerms): string {
  try {
    return permitTicket(identity, ticket, terms)
  } catch (error) {
    throw error instanceof ShowchainError ? new UsageError(`token: ${error.message}`, { cause: error }) : error
  }
}

async function token(root: Command, ticket: string, flags: TokenFlags): Promise<void> {
  const { id: idText, days: daysText, bytes: bytesText } = flags
  const id = idText === undefined ? undefined : read('id', () => parsePeerId(idText))
  const untilMs = Date.now() + read('days', () => parseDays(daysText)) * DAY_MS
  const bytes = bytesText === undefined ? undefined : read('bytes', () => parseBytes(bytesText))
  const config = await configFrom(root)
  const identity = await identityAt(config.identity, config, false, logger(config))
  const made = ticketOf(identity, ticket, { id, untilMs, bytes })
  process.stdout.write(`${made}\n`)
  const number = readPermit(fromBase64url(parseTicket(made).permit ?? '') ?? new Uint8Array())?.number
  const much = bytes === undefined ? 'for any number of bytes' : `for ${bytes.toLocaleString('en')} bytes`
  process.stderr.write(
    `permit:${number} is for ${id ?? 'whoever has it'}, until ${new Date(untilMs).toISOString()}, ${much}\n`,
  )
}

export function tokenCommand(): Command {
  const command: Command = new IdCommand('token')
    .description('Make a ticket of this relay that lets its holder in (--access token).')
    .argument('<ticket>', 'what the relay printed')
    .option('--id <id>', 'let in this peer alone (default: whoever has the ticket)')
    .option('--days <number>', 'how long', DEFAULT_DAYS)
    .option('--bytes <size>', 'how much may be sent with it: 500M, 20G (default: any)')
    .exitOverride()
    .action((ticket: string, flags: TokenFlags) => token(command.parent as Command, ticket, flags))
  return command
}
