/** What a complete key agreement made: the keys of records, and the transport whose frames they carry. */
import { MAX_DATAGRAM, type PeerId } from '@showchain/wire'
import type { Instant } from '../endpoint/machine.ts'
import type { TransportObserver } from '../transport/observer.ts'
import type { StreamTraits } from '../transport/streams/streams.ts'
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

/** Of one connection: as often as it agrees on keys. */
export class Establishing {
  readonly #endToEnd: EndToEnd
  readonly #remoteId: PeerId
  /** For an answer to this end's hello by a peer that knows named streams. */
  #ready: Transport | undefined

  constructor(endToEnd: EndToEnd, remoteId: PeerId) {
    this.#endToEnd = endToEnd
    this.#remoteId = remoteId
  }

  /** A hello of this end is on its way: until the answer comes there is time for what it needs. */
  prepare(now: Instant): void {
    const { ephemerals, observe, warmKeys } = this.#endToEnd
    ephemerals.prepare()
    warmKeys.current(now)
    if (observe === undefined) this.#ready ??= this.#transport({ initiator: true, namedStreams: true }, undefined)
  }

  /** @param agreed what the key agreement came to */
  establish(agreed: Extract<KeyAgreementEvent, { readonly secured: Secured }>, now: Instant): Established {
    const { crypto, observe, warmKeys } = this.#endToEnd
    const { secured, records } = agreed
    const { initiator, namedStreams } = secured
    const observer = observe?.({ remoteId: this.#remoteId, initiator })
    const ready = initiator && namedStreams ? this.#ready : undefined
    const transport = ready ?? this.#transport(secured, observer)
    this.#ready = undefined
    if (secured.confirms) transport.ping()
    if (agreed.type === 'secured') {
      // Implementations that know no hello close a connection that has the frame.
      if (agreed.byHello) transport.key.tell(warmKeys.current(now), now)
      if (agreed.early !== undefined) transport.streams.begin(agreed.early, now)
    }
    return { transport, secured, observer, records: records ?? new RecordLayer(crypto, secured, now) }
  }

  #transport(
    { initiator, namedStreams }: Pick<StreamTraits, 'initiator' | 'namedStreams'>,
    observer: TransportObserver | undefined,
  ): Transport {
    const { congestion, protocols } = this.#endToEnd
    // Until the first record has its path.
    const path = { base: MAX_DATAGRAM, larger: [], acks: 'prompt' } as const
    return new Transport({ initiator, namedStreams, protocols, congestion, path, observer })
  }
}
