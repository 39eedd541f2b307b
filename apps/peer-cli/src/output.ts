/**
 * The output of `listen` and `connect`: received lines on stdout, events on stderr. With --json:
 * every event on stdout, one JSON object a line. With --pipe stdout carries the data, and events go
 * to stderr. What remote peers send never controls a terminal.
 */
import type { Connection, Path } from '@showchain/client'
import { type PeerId, printable, ShowchainError, toBase64url, utf8 } from '@showchain/wire'
import { Failure, Reported } from './failures.ts'
import { endWords } from './goodbye.ts'
import { knownFailure } from './known-failures.ts'
import { isPart, withNewline, withoutNewline } from './lines.ts'
import { say, textStdout } from './stdio.ts'

/** Characters of an id that are shown: enough to tell a few peers apart. */
const SHORT_ID = 8
export const short = (id: PeerId): string => `${id.slice(0, SHORT_ID)}…`
const decoder = new TextDecoder('utf-8', { fatal: true })

/** The text of a message; undefined when it is not UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** JSON leaves DEL, C1 controls and bidi controls as they are; as \u they mean the same. */
const jsonLine = (value: object): string =>
  `${JSON.stringify(value).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (text) =>
    Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  )}\n`

/** A line as a terminal may show it: only tabs are left of what controls it. */
const shownLine = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('utf8')
    .replace(/\r?\n?$/, '')
    .split('\t')
    .map(printable)
    .join('\t')

/** What went over a connection, for the last event. */
export interface Totals {
  readonly bytes: { readonly sent: number; readonly received: number }
  readonly seconds: number
  readonly path: Path | undefined
}

export interface Output {
  /** The first line on stdout. */
  ticket(ticket: string): void
  /** The same of an end that waits. @param command that takes it, for a person at a terminal to copy */
  invite(kind: 'ticket' | 'code', text: string, command: string): void
  /** A picture, for people. */
  draw(lines: string): void
  /** @param sentence for people; @param details for programs, with --json. */
  note(event: string, sentence: string, details?: Readonly<Record<string, unknown>>): void
  /** What the command was asked for: on stdout also for people. */
  result(event: string, sentences: string, details: Readonly<Record<string, unknown>>): void
  /** What the remote peer sent as a text, as it is, but never as control of a terminal. */
  text(text: string): Promise<void>
  /** Resolves when stdout takes more. */
  message(from: PeerId, line: Uint8Array): Promise<void>
  /** The last event. */
  end(totals: Totals): void
  /** Resolves when stdout has taken everything. */
  flushed(): Promise<void>
  /** The last event instead. @returns what ends the program */
  failed(error: unknown): Reported
}

export function outputFor({
  json = false,
  pipe = false,
}: {
  readonly json?: boolean | undefined
  readonly pipe?: boolean | undefined
}): Output {
  // Not touched with --pipe: there stdout is opened as something that can be closed.
  const out = pipe ? process.stderr : textStdout()
  const write = (text: string | Uint8Array): Promise<void> =>
    new Promise((resolve) => {
      if (out.write(text)) resolve()
      else out.once('drain', resolve)
    })
  const flushed = (): Promise<void> => new Promise((resolve) => void out.write('', () => resolve()))
  const note = (sentence: string): void => say(printable(sentence))
  if (json) {
    const event = (value: object): void => void write(jsonLine(value))
    return {
      ticket: (ticket) => event({ event: 'ticket', ticket }),
      invite: (kind, text) => event({ event: kind, [kind]: text }),
      draw: () => {},
      note: (name, sentence, details = {}) => event({ event: name, ...details, text: sentence }),
      result: (name, sentences, details) => event({ event: name, ...details, text: sentences }),
      text: (text) => write(jsonLine({ event: 'text', text })),
      message: (from, line) => {
        const bytes = withoutNewline(line)
        const part = isPart(line) ? { part: true } : {}
        return write(jsonLine({ event: 'message', from, text: textOf(bytes), data: toBase64url(bytes), ...part }))
      },
      end: (totals) => event({ event: 'end', ...totals }),
      flushed,
      failed: (error) => report(error, (code, text) => event({ event: 'error', code, tried: triedIn(error), text })),
    }
  }
  return {
    ticket: (ticket) => void write(`${ticket}\n`),
    invite: (kind, text, command) => {
      if (!process.stdout.isTTY) return void write(`${text}\n`)
      note('on the other computer:')
      void write(kind === 'code' ? `${command} ${text}\n` : `${command} '${text}'\n`)
    },
    draw: say,
    note: (_event, sentence) => note(sentence),
    result: (_event, sentences) => void write(`${sentences.split('\n').map(printable).join('\n')}\n`),
    text: (text) => {
      const lines = text.replace(/\n$/, '').split('\n')
      return write(
        `${process.stdout.isTTY ? lines.map((line) => shownLine(utf8(line))).join('\n') : lines.join('\n')}\n`,
      )
    },
    message: (_from, line) =>
      write(process.stdout.isTTY ? `${shownLine(line)}${isPart(line) ? '' : '\n'}` : withNewline(line)),
    end: () => {},
    flushed,
    failed: (error) => report(error, (_code, text) => note(`showchain: ${text}`)),
  }
}

/** Prints the error in one line; a stack only for an unexpected one, which is a bug. */
function report(error: unknown, print: (code: string, text: string) => void): Reported {
  if (error instanceof Reported) return error
  const known = knownFailure(error)
  const text = error instanceof Error ? error.message : String(error)
  if (known === undefined) console.error(error)
  print(known?.code ?? 'ERR_INTERNAL', text)
  return new Reported(known?.exitCode ?? 1)
}

/** The ways that were tried, when a dial failed. */
function triedIn(error: unknown): unknown {
  if (error instanceof Failure || !(error instanceof ShowchainError)) return []
  const { cause } = error
  return typeof cause === 'object' && cause !== null && 'attempts' in cause ? cause.attempts : []
}

export const describePath = ({ path }: { readonly path: Path }): string => {
  const at = `${path.remote.ip} port ${path.remote.port}`
  return path.kind === 'direct' ? `directly, to ${at}` : `through the relay at ${at}${carriedBy(path)}`
}

/** Behind a relay's address; over UDP goes without saying. */
export const carriedBy = ({ over }: { readonly over?: 'udp' | 'websocket' | undefined }): string =>
  over === 'websocket' ? ', by WebSocket' : ''

/** Prints when the connection opens, when its path changes, and when it closes. @param saysWhy whether also why */
export function follow(connection: Connection, output: Output, saysWhy: () => boolean): void {
  const { remoteId } = connection
  const details = (): Record<string, unknown> => ({ peer: remoteId, path: connection.path })
  output.note('connected', `connected with ${short(remoteId)} ${describePath(connection)}`, details())
  connection.on('path', (_path, reason) =>
    output.note('path', `now ${describePath(connection)} (${reason})`, { ...details(), reason }),
  )
  connection.on('close', (reason, end) => {
    // Why this side ended it is what the program says last, or what it was told to do.
    const { by } = end
    const who = by === 'local' ? 'closed by this side' : by === 'remote' ? 'closed by the remote peer' : reason
    const why = by === 'remote' && saysWhy() ? endWords(end) : who
    output.note('closed', `connection with ${short(remoteId)} ended: ${why}`, { peer: remoteId, reason })
  })
}
