/**
 * Hellos between peers that have no connection. A hello, or the answer to one, is made before the connection
 * is: the other end waits for it alone, so it leaves first.
 */
import type { PeerId } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { Stamp } from '../endpoint/request-stamp.ts'
import { noiseCrypto } from '../secure/end-to-end.ts'
import { type AnsweredHello, answerHello, OutgoingHello } from '../secure/hello.ts'
import { warmTarget } from '../secure/hello-exchange.ts'
import { NAMED_STREAMS } from '../secure/key-agreement.ts'

/** A hello that was answered, and what its connection begins with. */
export interface Meeting {
  readonly connectionId: Uint8Array
  readonly value: Uint8Array
  readonly stamp: Stamp
  readonly answered: AnsweredHello
  readonly now: Instant
}

/** A hello of this end's, and the id that it tells. */
export interface HelloAhead {
  readonly connectionId: Uint8Array
  readonly hello: OutgoingHello
}

/** The hello of a dial to a peer that this one has no connection with; undefined: none is protected. */
export function helloAhead(context: PeerContext, target: PeerId, mayRelay: boolean): HelloAhead | undefined {
  const { endToEnd, provider, self } = context
  if (endToEnd === undefined) return undefined
  const { ephemerals, connectionIds, crypto } = endToEnd
  const connectionId = connectionIds.draw()
  const ends = { crypto: noiseCrypto(crypto, provider), ephemerals, requester: self, target }
  const offer = { mayRelay, dialled: true, namedStreams: NAMED_STREAMS, connectionId }
  return { connectionId, hello: new OutgoingHello(ends, offer) }
}

export class Meetings {
  readonly #context: PeerContext
  /** Bounded by what comes in one input: at its end they are taken. */
  readonly #byPeer = new Map<PeerId, Meeting>()

  constructor(context: PeerContext) {
    this.#context = context
  }

  /** @see HelloExchange.answer */
  answer(peer: PeerId, value: Uint8Array, stamp: Stamp, mayRelay: boolean, now: Instant): AnsweredHello | undefined {
    const { endToEnd, provider, self } = this.#context
    if (endToEnd === undefined) return undefined
    const { ephemerals, connectionIds, crypto } = endToEnd
    const connectionId = connectionIds.draw()
    const ends = { crypto: noiseCrypto(crypto, provider), ephemerals, requester: peer, target: self }
    const offer = { mayRelay, dialled: false, namedStreams: NAMED_STREAMS, connectionId }
    const answered = answerHello(ends, value, offer, warmTarget(endToEnd, peer, stamp, true, now))
    if (answered !== undefined) this.#byPeer.set(peer, { connectionId, value, stamp, answered, now })
    return answered
  }

  /** No connection follows any more. */
  clear(): void {
    this.#byPeer.clear()
  }

  take(peer: PeerId): Meeting | undefined {
    const meeting = this.#byPeer.get(peer)
    this.#byPeer.delete(peer)
    return meeting
  }
}
