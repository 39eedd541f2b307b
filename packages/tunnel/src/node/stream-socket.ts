/** A TCP or Unix socket of Node.js as a LocalSocket: read only as fast as its reader takes. */
import type { Socket } from 'node:net'
import type { LocalSocket } from '../tunnel/ports.ts'

/** Bytes that are read ahead, so that a reader that was held up goes on at once: as much as a stream takes unread. */
const MAX_UNREAD = 256 * 1024

export class StreamSocket implements LocalSocket {
  readonly #socket: Socket
  /** What came and was not read: MAX_UNREAD, and a piece. */
  readonly #pieces: Uint8Array[] = []
  #unread = 0
  #ended = false
  #failure: Error | undefined
  /** Its reader, when it waits. */
  #waiting: (() => void) | undefined

  /** @param socket with `allowHalfOpen` */
  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.pause()
    socket.on('data', (bytes) => {
      this.#pieces.push(bytes)
      this.#unread += bytes.length
      if (this.#unread >= MAX_UNREAD) socket.pause()
      this.#changed()
    })
    socket.on('end', () => {
      this.#ended = true
      this.#changed()
    })
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('The socket was closed.')))
    if (socket.destroyed) this.#fail(new Error('The socket was closed.'))
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const piece = this.#pieces.shift()
      if (piece !== undefined) {
        this.#unread -= piece.length
        if (this.#unread < MAX_UNREAD && this.#socket.isPaused()) this.#socket.resume()
        return piece
      }
      if (this.#ended) return undefined
      if (this.#failure !== undefined) throw this.#failure
      const changed = new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
      if (this.#socket.isPaused()) this.#socket.resume()
      await changed
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#socket.write(bytes)) return
    await this.#settled('drain')
  }

  async end(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    this.#socket.end()
    if (!this.#socket.writableFinished) await this.#settled('finish')
  }

  reset(): void {
    if (this.#socket.destroyed) return
    // Pipes have no RST, and Node.js throws for them.
    if (this.#socket.remoteFamily === undefined) this.#socket.destroy()
    else this.#socket.resetAndDestroy()
  }

  #settled(event: 'drain' | 'finish'): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#socket.off(event, done)
        this.#socket.off('close', closed)
      }
      const done = (): void => {
        leave()
        resolve()
      }
      const closed = (): void => {
        leave()
        // A socket closes itself when both halves have ended.
        if (this.#socket.writableFinished) resolve()
        else reject(this.#failure ?? new Error('The socket was closed.'))
      }
      this.#socket.once(event, done)
      this.#socket.once('close', closed)
    })
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#changed()
  }

  #changed(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
  }
}
