/** Asks a relay for a proxy session (the seed's section 4): 0x121, 0x122. */
import { OP, type PeerId, type SessionId } from '@showchain/wire'
import { type Base, signerKey } from '../context/peer-context.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { Exchange, Exchanges } from '../requests/transaction.ts'
import type { Registration } from './registration.ts'

/** @param done gets the session, or undefined and why there is none. */
export function requestProxy(
  base: Base,
  exchanges: Exchanges,
  registration: Registration,
  target: PeerId,
  done: (session: SessionId | undefined, why: string, now: Instant) => void,
): Exchange {
  const { relay } = registration
  const exchange: Exchange = exchanges.start({
    to: relay.endpoint,
    request: (stamp, cookie) => ({
      op_code: OP.proxyRequest,
      target,
      id: base.self,
      ...stamp,
      ...(cookie === undefined ? {} : { ext: { cookie } }),
    }),
    answered: (message) => {
      if (message.op_code !== OP.proxyResponse || message.target !== target) return
      const key = signerKey(base, relay.id, message)
      if (key === undefined) return base.count('unknownKey')
      exchange.verify(key, message, (now) => {
        exchange.close()
        done(message.session, '', now)
      })
    },
    failed: (why, now) => done(undefined, why, now),
  })
  return exchange
}
