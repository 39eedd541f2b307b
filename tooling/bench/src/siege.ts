/**
 * A relay and a peer under siege: what honest peers get done while somebody without any key sends as
 * much as the link and the machine carry.
 */
import { setTimeout } from 'node:timers/promises'
import { generateIdentity, type Identity } from '@showchain/crypto'
import { parseTicket } from '@showchain/wire'
import { Child } from './child.ts'
import type { Effort } from './effort.ts'
import { type Cell, type FigureTable, type Findings, figure, type Row } from './figures.ts'
import { cpuSeconds } from './loopback.ts'
import type { Flooded, FloodRequest } from './siege-flood-process.ts'
import { type Forgery, forgeries } from './siege-forgeries.ts'
import { call, Echo, oneOf, register, repeatedly, Tries, Village } from './siege-honest.ts'
import { giveBack, giveCore, lostDatagrams, MemoryWatch, type Share } from './siege-machine.ts'
import type { Target, TargetRequest, TargetUsage } from './siege-target-process.ts'

const IDENTITIES = 24
/** Of those, so many register again and again, and the others are introduced to each other. */
const NEWCOMERS = 8
/** Honest ones a second: registrations and introductions, dials and datagrams. In a minute 1 % is several. */
const RATES = { registrations: 5, introductions: 5, dials: 2, datagrams: 50 } as const
/** As before the siege is what takes at most so many times the median of before. */
const AS_BEFORE = 3
/** Milliseconds between two looks. */
const LOOK_AGAIN = 10
/** Milliseconds after a siege in which that is looked for. */
const MAX_RECOVERY = 30_000
const MIB = 2 ** 20

const RELAY_FORGERIES: readonly Forgery[] = ['garbage', 'first contacts', 'keep-alives']
const PEER_FORGERIES: readonly Forgery[] = ['records', 'first contacts', 'handshakes']

export async function siege(effort: Effort): Promise<Findings> {
  const identities = await Promise.all(Array.from({ length: IDENTITIES }, () => generateIdentity()))
  const [target, flooder] = [new Child('./siege-target-process.js'), new Child('./siege-flood-process.js')]
  const share = await giveCore(target.pid, [flooder.pid, process.pid])
  const besieged = new Siege(target, flooder, identities, effort, share)
  try {
    return { tables: [await besieged.relay(), await besieged.peer()] }
  } finally {
    await giveBack([process.pid])
    await Promise.all([target.stop(), flooder.stop()])
  }
}

/** What honest peers do, at once: each with its rate. */
interface Work {
  readonly name: string
  readonly perSecond: number
  readonly act: (tries: Tries) => Promise<void>
}

class Siege {
  readonly #target: Child
  readonly #flooder: Child
  readonly #identities: readonly Identity[]
  readonly #effort: Effort
  readonly #share: Share

  constructor(target: Child, flooder: Child, identities: readonly Identity[], effort: Effort, share: Share) {
    this.#target = target
    this.#flooder = flooder
    this.#identities = identities
    this.#effort = effort
    this.#share = share
  }

  async relay(): Promise<FigureTable> {
    const target = await this.#open('relay')
    const newcomers = this.#identities.slice(0, NEWCOMERS)
    await using village = await Village.open(this.#identities.slice(NEWCOMERS), target.ticket)
    const work: readonly Work[] = [
      {
        name: 'registrations',
        perSecond: RATES.registrations,
        act: (tries) => withOne(newcomers, tries, (identity) => register(identity, target.ticket)),
      },
      { name: 'introductions', perSecond: RATES.introductions, act: (tries) => village.introduce(tries) },
    ]
    return await this.#table('A relay under siege', target, RELAY_FORGERIES, work)
  }

  async peer(): Promise<FigureTable> {
    const target = await this.#open('peer')
    const [talker, ...callers] = this.#identities as [Identity, ...Identity[]]
    await using echo = await Echo.open(talker, target.ticket)
    const work: readonly Work[] = [
      {
        name: 'dials',
        perSecond: RATES.dials,
        act: (tries) => withOne(callers, tries, (identity) => call(identity, target.ticket)),
      },
      { name: 'datagrams', perSecond: RATES.datagrams, act: (tries) => tries.time(() => echo.send()) },
    ]
    return await this.#table('A peer under siege', target, PEER_FORGERIES, work)
  }

  async #table(title: string, target: Target, kinds: readonly Forgery[], work: readonly Work[]): Promise<FigureTable> {
    const calm = await this.#row(undefined, target, work, [])
    const found = [calm]
    for (const kind of kinds) found.push(await this.#row(kind, target, work, calm.medians))
    const { siegeRate, siegeSeconds, siegeSources } = this.#effort
    return {
      title,
      columns: [
        ...['forged', 'sent', 'lost', 'of a core', 'RSS before', 'most', 'after'],
        ...work.flatMap(({ name }) => [name, 'median', 'p99']),
        ...['recovered after', 'flood', 'honest'],
      ],
      rows: found.map(({ row }) => row),
      notes: [
        `${siegeRate.toLocaleString('en')} packets/s for ${siegeSeconds} s from ${siegeSources} loopback addresses; goal: 99 % of what is honest.`,
        'Lost: by sockets of this network namespace that had no room, those of others too.',
        `Flood and honest peers: of a core; ${this.#share}. What fails failed within 15 s (a datagram: 1 s).`,
        ...found.flatMap(({ failures }) => failures),
      ],
    }
  }

  /** @param usual median milliseconds of each work; none: this is what is usual */
  async #row(
    kind: Forgery | undefined,
    target: Target,
    work: readonly Work[],
    usual: readonly number[],
  ): Promise<{ readonly row: Row; readonly medians: readonly number[]; readonly failures: readonly string[] }> {
    const before = await this.#usage()
    const watch = new MemoryWatch(this.#target.pid)
    const [lost, ownCpu] = [lostDatagrams(), cpuSeconds()]
    const flood = this.#flood(kind, target)
    const during = work.map(({ name, perSecond, act }) => {
      const tries = new Tries()
      return { name, tries, done: repeatedly(perSecond, flood, () => act(tries)) }
    })
    const { sent, seconds: taken, cpuSeconds: flooderCpu } = await flood
    const lostThen = lostDatagrams()
    const ownThen = cpuSeconds()
    const recovered = await timeToRecover(work, usual)
    await Promise.all(during.map(({ done }) => done))
    const last = watch.stop()
    const after = await this.#usage()
    const percent = (value: number): Cell => `${value.toFixed(1)} %`
    const ofCore = (seconds: number): Cell => percent((100 * seconds) / taken)
    const mib = (bytes: number): Cell => `${(bytes / MIB).toFixed(1)} MiB`
    const ms = (value: number): Cell => (Number.isNaN(value) ? 'none' : figure([value], 'ms'))
    const row: Row = {
      name: kind ?? 'nothing',
      cells: [
        sent === 0 ? '' : figure([sent / taken], '/s'),
        sent === 0 ? '' : percent((100 * (lostThen - lost)) / sent),
        ofCore(after.cpuSeconds - before.cpuSeconds),
        mib(watch.before),
        mib(watch.most),
        mib(last),
        ...during.flatMap(({ tries }) => [
          `${percent(tries.succeeded)} of ${tries.taken.length + tries.failed}`,
          ms(tries.quantile(0.5)),
          ms(tries.quantile(0.99)),
        ]),
        kind === undefined ? '' : recovered === undefined ? 'not in 30 s' : figure([recovered], 'ms'),
        ofCore(flooderCpu),
        ofCore(ownThen - ownCpu),
      ],
    }
    const failures = during.flatMap(({ name, tries }) =>
      [...tries.failures].map(([code, times]) => `${kind ?? 'nothing'}: ${name} failed ${times} times with ${code}.`),
    )
    return { row, medians: during.map(({ tries }) => tries.quantile(0.5)), failures }
  }

  async #flood(kind: Forgery | undefined, target: Target): Promise<Flooded> {
    const { siegeSeconds: seconds, siegeRate: rate, siegeSources: sources } = this.#effort
    if (kind === undefined) return await setTimeout(seconds * 1000, { sent: 0, seconds, cpuSeconds: 0 })
    const peers = this.#identities.map(({ id }) => id)
    const packets = forgeries(kind, { id: parseTicket(target.ticket).id, spki: target.spki, peers })
    return await this.#flooder.ask<Flooded>({
      port: target.port,
      packets,
      rate,
      seconds,
      sources,
    } satisfies FloodRequest)
  }

  #open(type: 'relay' | 'peer'): Promise<Target> {
    return this.#target.ask<Target>({ type } satisfies TargetRequest)
  }

  #usage(): Promise<TargetUsage> {
    return this.#target.ask<TargetUsage>({ type: 'usage' } satisfies TargetRequest)
  }
}

/** With an identity that nothing else uses meanwhile. */
const withOne = (free: Identity[], tries: Tries, act: (identity: Identity) => Promise<void>): Promise<void> =>
  oneOf(free, async (identity) => {
    await tries.time(() => act(identity))
    return undefined
  })

/** Milliseconds until each kind of work is done about as fast as usual. */
async function timeToRecover(work: readonly Work[], usual: readonly number[]): Promise<number | undefined> {
  const begun = performance.now()
  for (const [index, median] of usual.entries()) {
    for (let taken = Number.POSITIVE_INFINITY; taken > AS_BEFORE * median; ) {
      if (performance.now() - begun > MAX_RECOVERY) return undefined
      const tries = new Tries()
      await (work[index] as Work).act(tries)
      await setTimeout(LOOK_AGAIN)
      taken = tries.taken[0] ?? taken
    }
  }
  return performance.now() - begun
}
