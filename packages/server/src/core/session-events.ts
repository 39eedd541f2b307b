/** What a relay counts and tells of its sessions when they begin and end. */
import type { SessionEnds } from './events.ts'
import type { PairPaths } from './pair-paths.ts'
import type { ProxySession, ProxySessionTableOptions } from './proxy-session-table.ts'
import type { RelayContext } from './relay-context.ts'

const endsOf = ({ id, requester, target }: ProxySession): SessionEnds => ({
  session: id,
  requester: requester.id,
  target: target.id,
})

export function sessionEvents(
  { count, outbox }: Pick<RelayContext, 'count' | 'outbox'>,
  pairs: PairPaths,
): Pick<ProxySessionTableOptions, 'opened' | 'ended'> {
  return {
    opened: (session) => {
      count('sessionOpened')
      pairs.opened(session, session.openedAt)
      outbox.event({ type: 'sessionOpened', ...endsOf(session) })
    },
    ended: (session, why, bytes) => {
      if (why === 'evicted') count('sessionEvicted')
      pairs.ended(session)
      const seconds = (session.touched - session.openedAt) / 1000
      outbox.event({ type: 'sessionEnded', ...endsOf(session), why, bytes, seconds })
    },
  }
}
