/** A 0x101 without `key`: the path check that ends a punch, and the question what the other end can do. */
import { CAPS, type Message, OP, type PeerId } from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { Instant, Route } from '../endpoint/machine.ts'
import type { Transaction, Transactions } from '../requests/transaction.ts'

export interface PathCheckOptions {
  readonly remoteId: PeerId
  readonly to: Route
  /** Whether it tells what this end can do: not to one that may speak only the seed. */
  readonly caps: boolean
  /** A message that answers it came. It is not verified yet. */
  answered(message: Message): void
  failed(now: Instant): void
}

export function checkPath(
  { self, seedMode }: PeerContext,
  transactions: Transactions,
  { remoteId, to, caps, answered, failed }: PathCheckOptions,
): Transaction {
  return transactions.start({
    ...{ to, answered },
    request: (stamp, cookie) => {
      const fields = { op_code: OP.directRequest, id: self, target: remoteId, ...stamp } as const
      if (!caps || seedMode) return fields
      return { ...fields, ext: { caps: CAPS.directData, ...(cookie === undefined ? {} : { cookie }) } }
    },
    failed: (_why, now) => failed(now),
  })
}
