/** The workers of a relay as one: what operators see of them, and what they do to them. */
import { Bans, checkedBan } from '@showchain/server'
import type { Ban, BanRecord, BoundPeer, PairView, PeerView } from '@showchain/server/runtime'
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
  readonly #bans = new Bans()
  readonly #banned: () => void
  draining = false

  /** @param banned is called when bans have changed */
  constructor(crew: Pick<Crew, 'ask' | 'members'>, banned: () => void) {
    this.#crew = crew
    this.#banned = banned
  }

  get bans(): readonly Ban[] {
    this.#bans.expire(Date.now())
    return this.#bans.list
  }

  get banRecords(): readonly BanRecord[] {
    this.#bans.expire(Date.now())
    return this.#bans.records
  }

  ban(ban: Ban): Promise<boolean> {
    return this.#say(this.#bans.add(checkedBan(ban), Date.now()))
  }

  unban(who: string): Promise<boolean> {
    return this.#say(this.#bans.remove(who, Date.now()))
  }

  /** Of what was kept, and of what a worker heard: all hear what is news. */
  async learnBans(records: readonly BanRecord[]): Promise<void> {
    const news = records.filter((record) => this.#bans.learn(record, Date.now()))
    if (news.length === 0) return
    this.#banned()
    await this.#crew.ask('learnBans', news)
  }

  async #say(record: BanRecord | undefined): Promise<boolean> {
    if (record === undefined) return false
    this.#banned()
    await this.#crew.ask('learnBans', [record])
    return true
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
