/** The workers of a relay as one: what operators see of them, and what they do to them. */
import type { Ban, BoundPeer, PairView, PeerView } from '@showchain/server/runtime'
import type { PeerId } from '@showchain/wire'
import type { ControlledRelay } from '../control.ts'
import { answerPair, type PeerFinder } from '../pair-answer.ts'
import { SHOWN } from '../status.ts'
import type { PairAnswer, Status } from '../status-shape.ts'
import type { Crew } from './crew.ts'

/** Rows of a worker's table in the numbers of pages: far more than any has. */
const ROWS = 2 ** 32

export class Together implements ControlledRelay, PeerFinder {
  readonly #crew: Pick<Crew, 'ask' | 'members'>
  readonly #bans = new Map<string, Ban>()
  draining = false

  constructor(crew: Pick<Crew, 'ask' | 'members'>) {
    this.#crew = crew
  }

  get bans(): readonly Ban[] {
    const now = Date.now()
    for (const { who, until } of this.#bans.values()) if (until !== undefined && until <= now) this.#bans.delete(who)
    return [...this.#bans.values()]
  }

  async ban(ban: Ban): Promise<boolean> {
    const done = await this.#crew.ask('ban', ban)
    if (done.includes(false)) return false
    this.#bans.set(ban.who, ban)
    return true
  }

  async unban(who: string): Promise<boolean> {
    await this.#crew.ask('unban', who)
    return this.#bans.delete(who)
  }

  async kick(id: PeerId): Promise<boolean> {
    return (await this.#crew.ask('kick', id)).includes(true)
  }

  /** The pages of one worker after those of another. */
  async bindings(
    from: number,
    rows: number,
  ): Promise<{ readonly bindings: readonly BoundPeer[]; readonly next: number | undefined }> {
    const worker = Math.floor(from / ROWS)
    const { members } = this.#crew
    const here = members.find((member) => member.worker === worker)
    const { bindings = [], next } = (await here?.line.ask('bindings', from % ROWS, rows).catch(() => undefined)) ?? {}
    const after = members.find((member) => member.worker > worker)
    return { bindings, next: next === undefined ? after && after.worker * ROWS : worker * ROWS + next }
  }

  /** A peer that moves from one worker to another is at both for a moment. */
  async named(beginning: string, most: number): Promise<readonly PeerView[]> {
    const found = new Map<PeerId, PeerView>()
    for (const peer of (await this.#crew.ask('named', beginning, most)).flat()) {
      const other = found.get(peer.id)
      if (other === undefined || other.quiet > peer.quiet) found.set(peer.id, peer)
    }
    return [...found.values()]
  }

  async pair(one: PeerView, other: PeerView): Promise<PairView> {
    const views = await this.#crew.ask('pair', one, other)
    const sessions = views.flatMap((view) => view.sessions).sort((first, second) => first.idle - second.idle)
    return { ...(views[0] ?? { sameFamily: true, sameAddress: false }), sessions }
  }

  readonly status = {
    status: async (): Promise<Status> => {
      const all = (await this.#crew.ask('status')).flatMap((each) => each ?? [])
      return summed(all, this.draining)
    },
    pair: (beginnings: readonly [string, string]): Promise<PairAnswer> => answerPair(this, beginnings),
  }
}

function sum<Row>(rows: readonly Row[], value: (row: Row) => number): number {
  return rows.reduce((total, row) => total + value(row), 0)
}

/** Of steps that end together: one that began later has fewer. */
function addedUp(series: readonly (readonly number[])[]): number[] {
  const longest = Math.max(...series.map(({ length }) => length))
  return Array.from({ length: longest }, (_, index) => sum(series, (each) => each[each.length - longest + index] ?? 0))
}

/** @throws Error when no worker answers */
export function summed(all: readonly Status[], draining: boolean): Status {
  const [first] = all
  if (first === undefined) throw new Error('no worker answers')
  const reasons = new Map<string, Status['refusals'][number]>()
  for (const refusal of all.flatMap(({ refusals }) => refusals))
    reasons.set(refusal.reason, { ...refusal, times: refusal.times + (reasons.get(refusal.reason)?.times ?? 0) })
  return {
    relay: { ...first.relay, draining, uptimeSeconds: process.uptime() },
    peers: {
      count: sum(all, ({ peers }) => peers.count),
      shown: all.flatMap(({ peers }) => peers.shown.slice(0, Math.ceil(SHOWN / all.length))),
    },
    sessions: {
      count: sum(all, ({ sessions }) => sessions.count),
      busiest: all
        .flatMap(({ sessions }) => sessions.busiest)
        .sort((one, other) => other.bytes - one.bytes)
        .slice(0, SHOWN),
    },
    pairs: {
      left: sum(all, ({ pairs }) => pairs.left),
      relayed: sum(all, ({ pairs }) => pairs.relayed),
      unanswered: sum(all, ({ pairs }) => pairs.unanswered),
    },
    history: {
      stepSeconds: first.history.stepSeconds,
      endsAt: Math.max(...all.map(({ history }) => history.endsAt)),
      in: addedUp(all.map(({ history }) => history.in)),
      out: addedUp(all.map(({ history }) => history.out)),
    },
    refusals: [...reasons.values()].sort((one, other) => other.times - one.times),
    nodes: first.nodes,
  }
}
