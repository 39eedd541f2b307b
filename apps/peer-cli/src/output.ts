/**
 * The output of `listen` and `connect`: received lines on stdout, events on stderr. With --json:
 * every event on stdout, one JSON object a line. With --pipe stdout carries the data, and events go
 * to stderr.
 */
import type { Connection } from '@showchain/client'
import { type PeerId, toBase64url } from '@showchain/wire'

/** Characters of an id that are shown: enough to tell a few peers apart. */
const SHORT_ID = 8
const short = (id: PeerId): string => `${id.slice(0, SHORT_ID)}…`
const decoder = new TextDecoder('utf-8', { fatal: true })

/** The text of a message; undefined when it is not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

export interface Output {
  /** The first line on stdout. */
  ticket(ticket: string): void
  /** @param sentence for people; @param details for programs, with --json. */
  note(event: string, sentence: string, details?: Readonly<Record<string, unknown>>): void
  message(from: PeerId, bytes: Uint8Array): void
}

export function outputFor({
  json = false,
  pipe = false,
}: {
  readonly json?: boolean
  readonly pipe?: boolean
}): Output {
  const out = pipe ? process.stderr : process.stdout
  const line = (value: object): void => void out.write(`${JSON.stringify(value)}\n`)
  if (json) {
    return {
      ticket: (ticket) => line({ event: 'ticket', ticket }),
      note: (event, sentence, details = {}) => line({ event, ...details, text: sentence }),
      message: (from, bytes) => line({ event: 'message', from, text: textOf(bytes), data: toBase64url(bytes) }),
    }
  }
  return {
    ticket: (ticket) => void out.write(`${ticket}\n`),
    note: (_event, sentence) => void process.stderr.write(`${sentence}\n`),
    message: (_from, bytes) => void process.stdout.write(`${textOf(bytes) ?? toBase64url(bytes)}\n`),
  }
}

const describePath = ({ path }: Connection): string => {
  const at = `${path.remote.ip} port ${path.remote.port}`
  return path.kind === 'direct' ? `directly, to ${at}` : `through the relay at ${at}`
}

/** Prints when the connection opens, when its path changes and when it closes. */
export function follow(connection: Connection, output: Output): void {
  const { remoteId } = connection
  const details = (): Record<string, unknown> => ({ peer: remoteId, path: connection.path })
  output.note('connected', `connected with ${short(remoteId)} ${describePath(connection)}`, details())
  connection.on('path', (_path, reason) =>
    output.note('path', `now ${describePath(connection)} (${reason})`, { ...details(), reason }),
  )
  connection.on('close', (reason) =>
    output.note('closed', `connection with ${short(remoteId)} ended: ${reason}`, { peer: remoteId, reason }),
  )
}
