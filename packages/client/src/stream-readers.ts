/** Where the streams come out that the remote peer opened, for one handle of a connection. */
import type { QueueReader } from './async/async-queue.ts'
import type { Shared } from './shared.ts'
import type { Stream } from './stream.ts'

export class StreamReaders<Handle> {
  readonly #shared: Shared<Handle>
  readonly #handle: Handle
  /** Of those that nobody takes by their protocol. */
  readonly #others: QueueReader<Stream>
  /** Of each protocol that was asked for; bounded by the application. */
  readonly #byProtocol = new Map<string, QueueReader<Stream>>()

  constructor(shared: Shared<Handle>, handle: Handle) {
    this.#shared = shared
    this.#handle = handle
    this.#others = this.#reader(({ protocol }) => !shared.isClaimed(protocol))
  }

  /** @param protocol from now on, its streams come out nowhere else; undefined: all others */
  of(protocol: string | undefined): QueueReader<Stream> {
    if (protocol === undefined) return this.#others
    this.#shared.claim(protocol)
    const reader = this.#byProtocol.get(protocol) ?? this.#reader((stream) => stream.protocol === protocol)
    this.#byProtocol.set(protocol, reader)
    return reader
  }

  /** The handle is closed: what comes is for others. */
  close(): void {
    for (const reader of [this.#others, ...this.#byProtocol.values()]) reader.close()
  }

  #reader(wants: (stream: Stream) => boolean): QueueReader<Stream> {
    return this.#shared.streams.reader((stream) => this.#shared.own(stream, this.#handle), wants)
  }
}
