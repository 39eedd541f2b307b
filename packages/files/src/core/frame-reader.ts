/** Reads frames from the other end. Nothing here throws for its bytes: what is wrong is a fault. */
import { fromUtf8 } from '@showchain/wire'
import { Reader } from './bytes.ts'
import { FRAME, type Frame, KINDS, STOP_REASONS } from './frames.ts'
import { FRAME_HEADER_BYTES, HASH_BYTES, MAX_FRAME, MAX_STOP_BYTES, MAX_TIME, MODE_BITS, VERSION } from './limits.ts'

/** Bytes of an ENTRY before those that describe it: mode and time. */
const ENTRY_STATE_BYTES = 10

function readOffer(fields: Reader): Frame {
  const [entries, files, bytes, description] = [fields.u32(), fields.u32(), fields.u64(), fields.raw(HASH_BYTES)]
  const names: Uint8Array[] = []
  for (let left = fields.u16(); left > 0 && !fields.bad; left--) names.push(fields.short())
  return { type: 'offer', offer: { entries, files, bytes, description, names } }
}

function readEntry(payload: Uint8Array, fields: Reader): Frame | undefined {
  const [mode, time] = [fields.u16(), fields.u64()]
  const kind = KINDS[fields.u8()]
  const [size, path, target] = [fields.u64(), fields.short(), fields.short()]
  if (kind === undefined || mode > MODE_BITS || time > MAX_TIME) return undefined
  if ((kind !== 'file' && size > 0) || (kind !== 'link' && target.length > 0)) return undefined
  return { type: 'entry', entry: { kind, mode, time, size, path, target }, described: payload.slice(ENTRY_STATE_BYTES) }
}

function readText(bytes: Uint8Array, most: number): string | undefined {
  return bytes.length > most ? undefined : fromUtf8(bytes)
}

/** Undefined when it is none, or not whole. */
function read(type: number, payload: Uint8Array): Frame | undefined {
  const fields = new Reader(payload)
  const found = fieldsOf(type, payload, fields)
  return fields.whole ? found : undefined
}

function fieldsOf(type: number, payload: Uint8Array, fields: Reader): Frame | undefined {
  switch (type) {
    case FRAME.offer:
      return readOffer(fields)
    case FRAME.entry:
      return readEntry(payload, fields)
    case FRAME.content:
      return { type: 'content', position: fields.u64() }
    case FRAME.zeros:
      return { type: 'zeros', count: fields.u64() }
    case FRAME.hash:
      return { type: 'hash', hash: fields.raw(HASH_BYTES) }
    case FRAME.end:
      return { type: 'end' }
    case FRAME.accept:
      return { type: 'accept' }
    case FRAME.done:
      return { type: 'done' }
    case FRAME.want: {
      const position = fields.u64()
      return { type: 'want', want: { position, hash: position === 0 ? undefined : fields.raw(HASH_BYTES) } }
    }
    case FRAME.text: {
      const text = readText(fields.raw(fields.rest), MAX_FRAME)
      return text === undefined ? undefined : { type: 'text', text }
    }
    case FRAME.stop: {
      const reason = STOP_REASONS[fields.u8() - 1]
      const text = readText(fields.raw(fields.rest), MAX_STOP_BYTES)
      return reason === undefined || text === undefined ? undefined : { type: 'stop', reason, text }
    }
    default:
      return undefined
  }
}

/**
 * Frames out of the pieces of a stream. Keeps at most one frame; DATA is handed on as it comes.
 * After the first fault there is nothing more.
 */
export class FrameReader {
  #pieces: Uint8Array[] = []
  #length = 0
  #begun = false
  /** Bytes of a DATA frame that are still to come. */
  #data = 0
  /** Why the bytes are no transfer. */
  fault: string | undefined

  /** @param bytes not to be changed afterwards */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#pieces.push(bytes)
    this.#length += bytes.length
  }

  /** Whether the stream may end here: between two frames. */
  get between(): boolean {
    return this.#begun && this.#length === 0 && this.#data === 0
  }

  /** Undefined when it takes more bytes, or when there is a fault. */
  next(): Frame | undefined {
    if (this.fault !== undefined) return undefined
    if (!this.#begun) {
      const first = this.#take(1)
      if (first === undefined) return undefined
      if (first[0] !== VERSION) return this.#fail(`version ${first[0]} of transfers is not known here`)
      this.#begun = true
    }
    while (this.#data === 0) {
      const header = this.#peek(FRAME_HEADER_BYTES)
      if (header === undefined) return undefined
      const fields = new Reader(header)
      const [type, length] = [fields.u8(), fields.u32()]
      if (length > MAX_FRAME) return this.#fail('a frame is too long')
      if (type === FRAME.data) {
        this.#take(FRAME_HEADER_BYTES)
        this.#data = length
        continue
      }
      const whole = this.#take(FRAME_HEADER_BYTES + length)
      if (whole === undefined) return undefined
      return read(type, whole.subarray(FRAME_HEADER_BYTES)) ?? this.#fail('a frame is not valid')
    }
    const piece = this.#pieces[0]
    if (piece === undefined) return undefined
    const bytes = this.#take(Math.min(piece.length, this.#data)) as Uint8Array
    this.#data -= bytes.length
    return { type: 'data', bytes }
  }

  #fail(why: string): undefined {
    this.fault = why
    this.#pieces = []
    this.#length = 0
    return undefined
  }

  /** The first bytes, in one piece from now on. */
  #peek(length: number): Uint8Array | undefined {
    if (this.#length < length) return undefined
    let first = this.#pieces[0] as Uint8Array
    if (first.length < length) {
      const joined = new Uint8Array(this.#length)
      let at = 0
      for (const piece of this.#pieces) {
        joined.set(piece, at)
        at += piece.length
      }
      first = joined
      this.#pieces = [joined]
    }
    return first.subarray(0, length)
  }

  #take(length: number): Uint8Array | undefined {
    const taken = this.#peek(length)
    if (taken === undefined) return undefined
    const first = this.#pieces[0] as Uint8Array
    if (first.length === length) this.#pieces.shift()
    else this.#pieces[0] = first.subarray(length)
    this.#length -= length
    return taken
  }
}
