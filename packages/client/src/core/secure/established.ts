/** What a complete key agreement made: the keys of records, and the transport whose frames they carry. */
import { MAX_DATAGRAM, type PeerId } from '@showchain/wire'
import type { Instant } from '../endpoint/machine.ts'
import type { TransportObserver } from '../transport/observer.ts'
import { Transport } from '../transport/transport.ts'
import type { EndToEnd } from './end-to-end.ts'
import type { Secured } from './handshake.ts'
import { RecordLayer } from './record-layer.ts'

export interface Established {
  readonly records: RecordLayer
  readonly transport: Transport
  readonly secured: Secured
  readonly observer: TransportObserver | undefined
}

export function establish(
  { crypto, congestion, observe }: EndToEnd,
  remoteId: PeerId,
  secured: Secured,
  records: RecordLayer | undefined,
  now: Instant,
): Established {
  const observer = observe?.({ remoteId, initiator: secured.initiator })
  const transport = new Transport({
    initiator: secured.initiator,
    congestion,
    // Until the first record has its path.
    path: { base: MAX_DATAGRAM, larger: [], acks: 'prompt' },
    observer,
  })
  return { transport, secured, observer, records: records ?? new RecordLayer(crypto, secured, now) }
}
