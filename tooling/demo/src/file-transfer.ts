/**
 * A file over a protected connection is a stream. Over the messages of a plaintext one, which may
 * arrive in any order, each carries the file's size and its own place:
 *
 *   size u32 | offset u32 | bytes
 */
import { randomBytes } from 'node:crypto'
import type { Connection } from '@showchain/client'

const HEADER_BYTES = 8
/** Unacknowledged messages at once; the connection below has a window of its own. */
const MAX_UNACKNOWLEDGED = 128
/** Progress reports of one file. */
const PROGRESS_REPORTS = 4

export const fileOf = (size: number): Uint8Array => randomBytes(size)

export async function sendFile(
  connection: Connection,
  file: Uint8Array,
  progress: (done: number) => void,
): Promise<void> {
  const partBytes = connection.maxDatagramSize - HEADER_BYTES
  const waiting = new Set<Promise<void>>()
  let done = 0
  let reported = 0
  for (let offset = 0; offset < file.length; offset += partBytes) {
    const part = file.subarray(offset, offset + partBytes)
    const sent = connection.sendDatagram(messageOf(file.length, offset, part)).then(() => {
      waiting.delete(sent)
      done += part.length
      const step = Math.floor((done * PROGRESS_REPORTS) / file.length)
      if (step > reported) progress(done)
      reported = Math.max(reported, step)
    })
    waiting.add(sent)
    if (waiting.size >= MAX_UNACKNOWLEDGED) await Promise.race(waiting)
  }
  await Promise.all(waiting)
}

/** Resolves when the remote peer has acknowledged the whole file. */
export async function streamFile(connection: Connection, file: Uint8Array): Promise<void> {
  const stream = await connection.openStream()
  await stream.write(file)
  await stream.end()
}

function messageOf(size: number, offset: number, part: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES + part.length)
  const view = new DataView(message.buffer)
  view.setUint32(0, size)
  view.setUint32(4, offset)
  message.set(part, HEADER_BYTES)
  return message
}

/** Reassembles files, one after the other. */
export class FileReceiver {
  #file: Uint8Array | undefined
  #missing = 0

  /** The file, when this message completes it. */
  take(message: Uint8Array): Uint8Array | undefined {
    const view = new DataView(message.buffer, message.byteOffset, HEADER_BYTES)
    const size = view.getUint32(0)
    if (this.#file === undefined) {
      this.#file = new Uint8Array(size)
      this.#missing = size
    }
    const file = this.#file
    file.set(message.subarray(HEADER_BYTES), view.getUint32(4))
    this.#missing -= message.length - HEADER_BYTES
    if (this.#missing > 0) return undefined
    this.#file = undefined
    return file
  }
}
