/** Handshake messages that are too long for a datagram on this path, in parts. */
import { type HandshakePart, writeHandshakePart } from '@showchain/wire/end-to-end'
import { MAX_PARTS } from './limits.ts'

/** @param room bytes of a part. Empty when it would take too many. */
export function partsOf(
  message: Uint8Array,
  room: number,
  fields: Pick<HandshakePart, 'session' | 'kind' | 'group'>,
): readonly Uint8Array[] {
  const count = Math.max(1, Math.ceil(message.length / room))
  if (count > MAX_PARTS) return []
  const size = Math.ceil(message.length / count)
  return Array.from({ length: count }, (_, index) =>
    writeHandshakePart({ ...fields, index, count, bytes: message.subarray(index * size, (index + 1) * size) }),
  )
}

/** Puts parts together: one message of each kind at a time, so what it holds is bounded. */
export class Assembly {
  readonly #open = new Map<number, { readonly group: number; readonly parts: (Uint8Array | undefined)[] }>()

  /** The whole message, when this was its last part. */
  add({ kind, group, index, count, bytes }: HandshakePart): Uint8Array | undefined {
    if (count === 1) return bytes
    if (count > MAX_PARTS || kind >= 4) return undefined
    let open = this.#open.get(kind)
    if (open?.group !== group || open.parts.length !== count) {
      open = { group, parts: Array.from({ length: count }) }
      this.#open.set(kind, open)
    }
    open.parts[index] = bytes.slice()
    const whole: number[] = []
    for (const part of open.parts) {
      if (part === undefined) return undefined
      whole.push(...part)
    }
    this.#open.delete(kind)
    return Uint8Array.from(whole)
  }
}
