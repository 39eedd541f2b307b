/** A stream of a connection as a Duplex of `node:stream`. */
import { Duplex } from 'node:stream'
import { READ_PIECE } from './core/index.ts'
import type { Stream } from './stream.ts'

/**
 * The stream as a Duplex. 'finish' means that the remote peer has acknowledged everything;
 * `destroy` abandons both halves. Not to be used together with `readable` and `writable`.
 */
export function toDuplex(stream: Stream): Duplex {
  const settle = (work: Promise<void>, done: (error?: Error | null) => void): void => {
    work.then(() => done(), done)
  }
  return new Duplex({
    readableHighWaterMark: READ_PIECE,
    writableHighWaterMark: READ_PIECE,
    read() {
      stream.read().then(
        (bytes) => this.push(bytes ?? null),
        (error) => this.destroy(error),
      )
    },
    write: (chunk: Uint8Array, _encoding, done) => settle(stream.write(chunk), done),
    final: (done) => settle(stream.end(), done),
    destroy(error, done) {
      if (!this.writableFinished) stream.abort(error)
      if (!this.readableEnded) stream.cancel(error)
      done(error)
    },
  })
}
