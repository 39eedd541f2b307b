/** What a complete key agreement made: the keys of records, and the transport whose frames they carry. */
import { MAX_DATAGRAM, type PeerId } from '@showchain/wire'
import type { Instant } from '../endpoint/machine.ts'
import type { TransportObserver } from '../transport/observer.ts'
import { Transport } from '../transport/transport.ts'
import type { EndToEnd } from './end-to-end.ts'
import type { Secured } from './handshake-options.ts'
import type { KeyAgreementEvent } from './key-agreement.ts'
import { RecordLayer } from './record-layer.ts'

export interface Established {
  readonly records: RecordLayer
  readonly transport: Transport
  readonly secured: Secured
  readonly observer: TransportObserver | undefined
}

/** @param agreed what the key agreement came to */
export function establish(
  { crypto, congestion, observe, warmKeys, protocols }: EndToEnd,
  remoteId: PeerId,
  agreed: Extract<KeyAgreementEvent, { readonly secured: Secured }>,
  now: Instant,
): Established {
  const { secured, records } = agreed
  const observer = observe?.({ remoteId, initiator: secured.initiator })
  const transport = new Transport({
    initiator: secured.initiator,
    namedStreams: secured.namedStreams,
    protocols,
    congestion,
    // Until the first record has its path.
    path: { base: MAX_DATAGRAM, larger: [], acks: 'prompt' },
    observer,
  })
  if (secured.confirms) transport.ping()
  if (agreed.type === 'secured') {
    // Implementations that know no hello close a connection that has the frame.
    if (agreed.byHello) transport.key.tell(warmKeys.current(now), now)
    if (agreed.early !== undefined) transport.streams.begin(agreed.early, now)
  }
  return { transport, secured, observer, records: records ?? new RecordLayer(crypto, secured, now) }
}
