/**
 * What a hello, or the answer to one, is made of between peers that have no connection. It is made before the
 * connection is: the other end waits for it alone, so it leaves first.
 */
import type { PeerId } from '@showchain/wire'
import type { HelloOffer } from '@showchain/wire/end-to-end'
import type { PeerContext } from '../context/peer-context.ts'
import { type EndToEnd, noiseCrypto } from '../secure/end-to-end.ts'
import type { HelloOptions } from '../secure/hello.ts'
import { NAMED_STREAMS } from '../secure/key-agreement.ts'

export interface HelloAhead {
  readonly endToEnd: EndToEnd
  readonly ends: HelloOptions
  /** Has the id of the connection that follows. */
  readonly offer: HelloOffer
}

/** @returns undefined: connections are not protected */
export function helloAhead(
  { endToEnd, provider, self }: PeerContext,
  requester: PeerId,
  target: PeerId,
  mayRelay: boolean,
): HelloAhead | undefined {
  if (endToEnd === undefined) return undefined
  const { ephemerals, connectionIds, crypto } = endToEnd
  const ends = { crypto: noiseCrypto(crypto, provider), ephemerals, requester, target }
  const connectionId = connectionIds.draw()
  return { endToEnd, ends, offer: { mayRelay, dialled: requester === self, namedStreams: NAMED_STREAMS, connectionId } }
}
