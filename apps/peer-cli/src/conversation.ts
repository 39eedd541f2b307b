/**
 * Lines between two peers: on one stream for each direction; in plaintext mode each line is a
 * message.
 */
import type { Connection, Stream } from '@showchain/client'
import { linesOf, withoutNewline } from './lines.ts'

export interface Conversation {
  /** Resolves when the stream accepts more; in plaintext mode, when the line was acknowledged. */
  send(line: Uint8Array): Promise<void>
  /** Resolves when every line was acknowledged. */
  end(): Promise<void>
  /** Each with its newline, if it has one. */
  lines(): AsyncIterable<Uint8Array>
}

export function conversationOn(connection: Connection): Conversation {
  return connection.protected ? new StreamConversation(connection) : new MessageConversation(connection)
}

class StreamConversation implements Conversation {
  readonly #connection: Connection
  #ours: Promise<Stream> | undefined

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async send(line: Uint8Array): Promise<void> {
    this.#ours ??= this.#connection.openStream()
    const stream = await this.#ours
    await stream.write(line)
  }

  async end(): Promise<void> {
    const stream = await this.#ours
    await stream?.end()
  }

  async *lines(): AsyncGenerator<Uint8Array> {
    for await (const stream of this.#connection.streams) yield* linesOf(stream.readable)
  }
}

/** A message has at least one byte: a blank line is its newline, others leave theirs out. */
class MessageConversation implements Conversation {
  readonly #connection: Connection
  readonly #sending = new Set<Promise<void>>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async send(line: Uint8Array): Promise<void> {
    const sent = this.#connection.sendDatagram(line.length === 1 ? line : withoutNewline(line))
    this.#sending.add(sent)
    await sent.finally(() => this.#sending.delete(sent))
  }

  async end(): Promise<void> {
    const ends = await Promise.allSettled(this.#sending)
    const failed = ends.find((end) => end.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  lines(): AsyncIterable<Uint8Array> {
    return this.#connection
  }
}
