/** What an application says with its dial, before the remote peer answers, and what became of it. */

/**
 * - `unsent`: it was in no hello, or in one that the remote peer answered without taking it: it is
 *   still to be sent
 * - `sent`: it is in a hello, and nobody knows whether it was taken
 * - `given up`: the same, and the remote peer's own hello counts instead; its first record shows that
 *   it has taken nothing
 * - `taken`: it is the beginning of this end's first stream
 */
export type EarlyState = 'unsent' | 'sent' | 'given up' | 'taken'

export class EarlyBytes {
  readonly bytes: Uint8Array
  state: EarlyState = 'unsent'

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}
