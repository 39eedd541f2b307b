/** A connection and its paths at one moment, for `inspect()`. */
import { formatEndpoint, type PeerId } from '@showchain/wire'
import type { MessageSession } from '../messages/message-session.ts'
import type { SecureStatistics } from '../secure/statistics.ts'
import type { ConnectionMachine } from './connection-machine.ts'

/** A path of a connection at a moment. */
export interface PathInspection {
  readonly kind: 'direct' | 'relay'
  /** Where its packets go: the address of the remote peer or of the relay. */
  readonly at: string
  readonly relay: PeerId | undefined
  /**
   * - `data`: records take it
   * - `standby`: they take it, too, while the one before is in doubt
   * - `ready`: it is proven, and not in use
   * - `former`: a direct path that died, and may come back
   * - `old`: late messages may still come by it
   */
  readonly use: 'data' | 'standby' | 'ready' | 'former' | 'old'
  /** `doubted`: something that was sent on it is not answered. `dead`: it is asked whether it is back. */
  readonly state: 'good' | 'doubted' | 'dead'
  /** Signed messages on it that are not acknowledged. */
  readonly backlog: number
}

/** A connection at a moment. */
export interface ConnectionInspection {
  readonly remoteId: PeerId
  /** Whether the application has it; before that it is being opened. */
  readonly open: boolean
  readonly protected: boolean
  /** Each session of the connection is one. */
  readonly paths: readonly PathInspection[]
  /** Undefined before the handshake, and where data is readable. */
  readonly statistics: SecureStatistics | undefined
}

export function inspectConnection({ remoteId, open, paths, secure }: ConnectionMachine): ConnectionInspection {
  const { direct, relayed, session: data, standby } = paths
  const useOf = (session: MessageSession): PathInspection['use'] => {
    if (session === data) return 'data'
    if (session === standby) return 'standby'
    if (session === direct.former) return 'former'
    return session === direct.session || relayed.uses(session) ? 'ready' : 'old'
  }
  const inspected = paths.sessions.all.map((session): PathInspection => {
    const { to, directKey } = session.options
    const suspected = session === direct.session && direct.suspected ? 'doubted' : 'good'
    return {
      ...{ kind: directKey === undefined ? 'relay' : 'direct', at: formatEndpoint(to) },
      relay: relayed.relayOf(session)?.id,
      ...{ use: useOf(session), state: secure?.stateOf(session) ?? suspected, backlog: session.backlog },
    }
  })
  return { remoteId, open, protected: secure !== undefined, paths: inspected, statistics: secure?.statistics }
}
