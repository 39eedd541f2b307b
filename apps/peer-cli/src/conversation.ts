/**
 * Lines between two peers: on one stream for each direction; in plaintext mode each line is a
 * message.
 */
import type { Connection, Stream } from '@showchain/client'

const NEWLINE = 0x0a

export interface Conversation {
  /** Resolves when the stream accepts more; in plaintext mode, when the line was acknowledged. */
  send(line: Uint8Array): Promise<void>
  /** Resolves when every line was acknowledged. */
  end(): Promise<void>
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
    const bytes = new Uint8Array(line.length + 1)
    bytes.set(line)
    bytes[line.length] = NEWLINE
    await stream.write(bytes)
  }

  async end(): Promise<void> {
    const stream = await this.#ours
    await stream?.end()
  }

  async *lines(): AsyncGenerator<Uint8Array> {
    for await (const stream of this.#connection.streams) yield* linesOf(stream)
  }
}

class MessageConversation implements Conversation {
  readonly #connection: Connection
  readonly #sending = new Set<Promise<void>>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  async send(line: Uint8Array): Promise<void> {
    const sent = this.#connection.sendDatagram(line)
    this.#sending.add(sent)
    await sent.finally(() => this.#sending.delete(sent))
  }

  async end(): Promise<void> {
    await Promise.allSettled(this.#sending)
  }

  lines(): AsyncIterable<Uint8Array> {
    return this.#connection
  }
}

/** @throws ShowchainError `ERR_STREAM_RESET`, `ERR_CLOSED` */
async function* linesOf(stream: Stream): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0)
  for (let bytes = await stream.read(); bytes !== undefined; bytes = await stream.read()) {
    rest = Buffer.concat([rest, bytes])
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      yield rest.subarray(0, end)
      rest = rest.subarray(end + 1)
    }
  }
  if (rest.length > 0) yield rest
}
