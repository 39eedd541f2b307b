/** Asks a relay for a proxy session (the seed's section 4): 0x121, 0x122. */
import { OP, type PeerId, type SessionId } from '@showchain/wire'
import { type PeerContext, signerKey } from '../context/peer-context.ts'
import type { Instant } from '../endpoint/machine.ts'
import type { Transaction, Transactions } from '../requests/transaction.ts'
import type { Registration } from './registration.ts'

/** @param done gets the session, or undefined and why there is none. */
export function requestProxy(
  context: PeerContext,
  transactions: Transactions,
  registration: Registration,
  target: PeerId,
  done: (session: SessionId | undefined, why: string, now: Instant) => void,
): Transaction {
  const { relay } = registration
  const transaction: Transaction = transactions.start({
    to: registration.route,
    // A relay drops the request of a peer that it knows at another address.
    unanswered: (now) => registration.suspect(now),
    request: (stamp, cookie) => ({
      op_code: OP.proxyRequest,
      target,
      id: context.self,
      ...stamp,
      ...(cookie === undefined ? {} : { ext: { cookie } }),
    }),
    answered: (message) => {
      if (message.op_code !== OP.proxyResponse || message.target !== target) return
      const key = signerKey(context, relay.id, message)
      if (key === undefined) return context.count('unknownKey')
      transaction.verify(key, message, (now) => {
        transaction.close()
        done(message.session, '', now)
      })
    },
    failed: (why, now) => done(undefined, why, now),
  })
  return transaction
}
