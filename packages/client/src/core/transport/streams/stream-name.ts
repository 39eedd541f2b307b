/**
 * The name in front of what a remote peer sends on a named stream (docs/protocol.md, Named streams).
 * The application learns of the stream when it is complete.
 */
import { missingOfName, readProtocolName } from '@showchain/wire/end-to-end'
import { joined } from '../../endpoint/joined.ts'
import type { ReceiveStream } from './receive-stream.ts'

/** Undefined: there is more of it to come. `none`: it is no name. */
export type NameRead = { readonly protocol: string } | 'none' | undefined

export class StreamName {
  /** Its bytes so far; at most 256. */
  #begun: Uint8Array = new Uint8Array(0)
  /** The code of a STOP_SENDING that came before it was complete. */
  stoppedBy: number | undefined

  /** Reads what came of it, and nothing behind it. */
  read(receive: Pick<ReceiveStream, 'read' | 'complete'>): NameRead {
    for (let missing = missingOfName(this.#begun); missing > 0; missing = missingOfName(this.#begun)) {
      const piece = receive.read(missing)
      if (piece === undefined) return receive.complete ? 'none' : undefined
      this.#begun = joined([this.#begun, piece])
    }
    const protocol = readProtocolName(this.#begun)
    return protocol === undefined ? 'none' : { protocol }
  }
}
