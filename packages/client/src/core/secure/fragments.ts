/** Handshake messages that come in parts. */
import { HANDSHAKE_KIND, type HandshakePart, MAX_HANDSHAKE_PARTS } from '@showchain/wire/end-to-end'
import { joined } from '../endpoint/joined.ts'

/** Puts parts together: one message of each kind at a time, which bounds what it holds. */
export class Assembly {
  readonly #open = new Map<number, { readonly group: number; readonly parts: (Uint8Array | undefined)[] }>()

  /** @returns the whole message, if this was its last missing part */
  add({ kind, group, index, count, bytes }: HandshakePart): Uint8Array | undefined {
    if (count === 1) return bytes
    if (count > MAX_HANDSHAKE_PARTS || kind > HANDSHAKE_KIND.third) return undefined
    let open = this.#open.get(kind)
    if (open?.group !== group || open.parts.length !== count) {
      open = { group, parts: Array.from({ length: count }) }
      this.#open.set(kind, open)
    }
    open.parts[index] = bytes.slice()
    const parts = open.parts.filter((part) => part !== undefined)
    if (parts.length < count) return undefined
    this.#open.delete(kind)
    return joined(parts)
  }
}
