/** What all protected connections of a peer share. */
import type { EndToEndCrypto } from '@showchain/crypto/core'
import type { Instant, Route } from '../endpoint/machine.ts'
import type { CongestionFactory } from '../transport/congestion/controller.ts'
import type { ConnectionIds } from './connection-ids.ts'
import type { CertificateSource } from './credentials.ts'

/** The owner of a secure session: it gets the records that carry the session's connection id. */
export interface RecordReceiver {
  /** @param source of a record that came on a direct path; undefined: through a relay */
  receiveRecord(record: Uint8Array, source: Route | undefined, now: Instant): void
}

export interface EndToEnd {
  readonly crypto: EndToEndCrypto
  readonly credentials: CertificateSource
  readonly congestion: CongestionFactory
  readonly unixMs: () => number
  readonly connectionIds: ConnectionIds<RecordReceiver>
}
