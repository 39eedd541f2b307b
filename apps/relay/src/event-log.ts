/** What is logged while a relay runs: a line for each session that carried something, limits that were reached. */
import type { Relay, RelayEvent, SessionView } from '@showchain/server/runtime'
import type { Logger } from 'pino'
import { FLEET_COUNTERS, LIMIT_COUNTERS, LimitWatch } from './limit-watch.ts'
import { shortId } from './short-id.ts'

/** Milliseconds. */
const LOOK_INTERVAL = 1000
/** Most lines about sessions that are open when the relay ends: those that carried most. */
const OPEN_AT_THE_END = 1000

/** A session that carried nothing is no news: every pair that finds a direct path at once has one. */
export function logEvent(log: Logger, event: RelayEvent): void {
  if (event.type === 'fleetNode') return logNode(log, event.node, event.state)
  if (event.type !== 'sessionEnded' || event.bytes === 0) return log.debug(event, event.type)
  logSession(log, event)
}

interface EndedSession extends Pick<SessionView, 'requester' | 'target' | 'bytes'> {
  readonly seconds: number
  readonly why: string
}

function logSession(log: Logger, { requester, target, bytes, seconds, why }: EndedSession): void {
  log.info({ requester: shortId(requester), target: shortId(target), bytes, seconds, why }, 'session ended')
}

const NODE_SENTENCES = {
  joined: 'a node of the fleet is there',
  lost: 'a node of the fleet is silent',
  duplicate: 'another relay has the number of this one, and neither hears the other',
} as const

function logNode(log: Logger, node: number, state: keyof typeof NODE_SENTENCES): void {
  log[state === 'joined' ? 'info' : 'warn']({ node }, NODE_SENTENCES[state])
}

/** Sessions that end with the relay have their lines, too. */
export function logOpenSessions(log: Logger, { watch }: Pick<Relay, 'watch'>): void {
  for (const session of watch.busiest(OPEN_AT_THE_END))
    logSession(log, { ...session, seconds: (session.age - session.idle) / 1000, why: 'relay ended' })
}

/** Warns of limits that are reached, and of what nobody says who is of the fleet. @returns what ends it */
export function watchLimits(relay: Pick<Relay, 'counters'>, log: Logger): () => void {
  const watches = [
    [new LimitWatch(LIMIT_COUNTERS), 'limit reached'],
    [new LimitWatch(FLEET_COUNTERS), 'messages on the bus of the fleet were dropped'],
  ] as const
  const timer = setInterval(() => {
    for (const [watch, sentence] of watches)
      for (const reached of watch.reached(relay.counters(), performance.now())) log.warn(reached, sentence)
  }, LOOK_INTERVAL)
  timer.unref()
  return () => clearInterval(timer)
}
