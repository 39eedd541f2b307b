/**
 * What a talking command prints. For people: what was said on stdout, what happens on stderr. With
 * --json: every event as one JSON object a line on stdout. With --pipe stdout is for bytes, and all of this goes to stderr.
 */
import type { Connection } from '@showchain/client'
import { type PeerId, toBase64url } from '@showchain/wire'

/** Enough of an id to tell a handful apart. */
const SHORT_ID = 8
const short = (id: PeerId): string => `${id.slice(0, SHORT_ID)}…`
const decoder = new TextDecoder('utf-8', { fatal: true })

/** A message as text when it is text. */
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
  /** Something happened that people may want to know. */
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
  return path.kind === 'direct' ? `directly, ${at}` : `through the relay at ${at}`
}

/** Tells of a connection's beginning, its changes of path and its end. */
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
