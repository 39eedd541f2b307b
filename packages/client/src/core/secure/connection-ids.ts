/**
 * Owners of protected connections by connection id: found by part of the id, then compared as a
 * whole.
 */
import type { Random } from '@showchain/crypto/core'
import { CONNECTION_ID_BYTES, idKey } from '@showchain/wire/end-to-end'

interface Entry<Owner> {
  readonly id: Uint8Array
  readonly owner: Owner
}

export class ConnectionIds<Owner> {
  readonly #random: Random
  /** One for each connection. */
  readonly #entries = new Map<number, Entry<Owner>>()

  constructor(random: Random) {
    this.#random = random
  }

  /** One that is free, to be told before it has an owner. */
  draw(): Uint8Array {
    for (;;) {
      const id = this.#random.bytes(CONNECTION_ID_BYTES)
      const key = idKey(id, 0)
      // Zeros mark handshake messages.
      if (key !== 0 && !this.#entries.has(key)) return id
    }
  }

  /** @param id drawn before, in the same input */
  allocate(owner: Owner, id: Uint8Array = this.draw()): Uint8Array {
    this.#entries.set(idKey(id, 0), { id, owner })
    return id
  }

  forget(id: Uint8Array): void {
    this.#entries.delete(idKey(id, 0))
  }

  /** @param record long enough for an id */
  find(record: Uint8Array): Owner | undefined {
    const entry = this.#entries.get(idKey(record, 1))
    if (entry === undefined) return undefined
    const { id, owner } = entry
    for (let index = 0; index < CONNECTION_ID_BYTES; index++) if (id[index] !== record[1 + index]) return undefined
    return owner
  }
}
