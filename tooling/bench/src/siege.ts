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
import type { Flooded, FloodRequest } from './siege-flood-process.ts'
import { type Forgery, forgeries } from './siege-forgeries.ts'
import { call, Echo, register, repeatedly, Tries, Village } from './siege-honest.ts'
import type { Target, TargetRequest, TargetUsage } from './siege-target-process.ts'

const IDENTITIES = 16
/** Of those, so many register again and again, and the others are introduced to each other. */
const NEWCOMERS = 8
/** Honest ones a second: registrations and introductions, dials and datagrams. */
const RATES = { registrations: 5, introductions: 2, dials: 2, datagrams: 50 } as const
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
  const [target, flooder] = [
    new Child('./siege-target-process.js', ['--expose-gc']),
    new Child('./siege-flood-process.js'),
  ]
  const besieged = new Siege(target, flooder, identities, effort)
  try {
    return { tables: [await besieged.relay(), await besieged.peer()] }
  } finally {
    await Promise.all([target.stop(), flooder.stop()])
  }
}

/** What honest peers do, at once: each with its rate. */
interface Work {
  readonly name: string
  readonly perSecond: number
  readonly act: () => Promise<void>
}

class Siege {
  readonly #target: Child
  readonly #flooder: Child
  readonly #identities: readonly Identity[]
  readonly #effort: Effort

  constructor(target: Child, flooder: Child, identities: readonly Identity[], effort: Effort) {
    this.#target = target
    this.#flooder = flooder
    this.#identities = identities
    this.#effort = effort
  }

  async relay(): Promise<FigureTable> {
    const target = await this.#open('relay')
    const newcomers = this.#identities.slice(0, NEWCOMERS)
    await using village = await Village.open(this.#identities.slice(NEWCOMERS), target.ticket)
    const work: readonly Work[] = [
      {
        name: 'registrations',
        perSecond: RATES.registrations,
        act: () => oneOf(newcomers, (identity) => register(identity, target.ticket)),
      },
      { name: 'introductions', perSecond: RATES.introductions, act: () => village.introduce() },
    ]
    return await this.#table('A relay under siege', target, RELAY_FORGERIES, work)
  }

  async peer(): Promise<FigureTable> {
    const target = await this.#open('peer')
    const [talker, ...callers] = this.#identities as [Identity, ...Identity[]]
    await using echo = await Echo.open(talker, target.ticket)
    const work: readonly Work[] = [
      { name: 'dials', perSecond: RATES.dials, act: () => oneOf(callers, (identity) => call(identity, target.ticket)) },
      { name: 'datagrams', perSecond: RATES.datagrams, act: () => echo.send() },
    ]
    return await this.#table('A peer under siege', target, PEER_FORGERIES, work)
  }

  async #table(title: string, target: Target, kinds: readonly Forgery[], work: readonly Work[]): Promise<FigureTable> {
    const calm = await this.#row(undefined, target, work, [])
    const rows = [calm.row]
    for (const kind of kinds) rows.push((await this.#row(kind, target, work, calm.medians)).row)
    const { siegeRate, siegeSeconds, siegeSources } = this.#effort
    return {
      title,
      columns: [
        ...['forged', 'sent', 'taken', 'of a core', 'memory more'],
        ...work.flatMap(({ name }) => [name, 'median', 'p99']),
        'recovered after',
      ],
      rows,
      notes: [
        `${siegeRate.toLocaleString('en')} packets/s for ${siegeSeconds} s from ${siegeSources} loopback addresses; goal: 99 % of what is honest.`,
        'Taken: by the machine; the kernel drops the others. Memory: heap and buffers after a collection.',
        'Flood, target and honest peers share the cores. What fails failed within 15 s (a datagram: 1 s).',
      ],
    }
  }

  /** @param usual median milliseconds of each work; none: this is what is usual */
  async #row(
    kind: Forgery | undefined,
    target: Target,
    work: readonly Work[],
    usual: readonly number[],
  ): Promise<{ readonly row: Row; readonly medians: readonly number[] }> {
    const before = await this.#usage()
    const { siegeSeconds: seconds, siegeRate: rate, siegeSources: sources } = this.#effort
    const flood =
      kind === undefined
        ? setTimeout(seconds * 1000, { sent: 0, seconds } satisfies Flooded)
        : this.#flooder.ask<Flooded>({
            port: target.port,
            packets: forgeries(kind, {
              id: parseTicket(target.ticket).id,
              spki: target.spki,
              peers: this.#identities.map(({ id }) => id),
            }),
            ...{ rate, seconds, sources },
          } satisfies FloodRequest)
    const during = work.map(({ perSecond, act }) => {
      const tries = new Tries()
      return { tries, done: repeatedly(perSecond, flood, () => tries.time(act)) }
    })
    const { sent, seconds: taken } = await flood
    const recovered = await timeToRecover(work, usual)
    await Promise.all(during.map(({ done }) => done))
    const after = await this.#usage()
    const percent = (value: number): Cell => `${value.toFixed(1)} %`
    const ms = (value: number): Cell => (Number.isNaN(value) ? 'none' : figure([value], 'ms'))
    const row: Row = {
      name: kind ?? 'nothing',
      cells: [
        sent === 0 ? '' : figure([sent / taken], '/s'),
        sent === 0 ? '' : percent(Math.min(100, (100 * (after.received - before.received)) / sent)),
        percent((100 * (after.cpuSeconds - before.cpuSeconds)) / taken),
        `${((after.used - before.used) / MIB).toFixed(1)} MiB`,
        ...during.flatMap(({ tries }) => [percent(tries.succeeded), ms(tries.quantile(0.5)), ms(tries.quantile(0.99))]),
        kind === undefined ? '' : recovered === undefined ? 'not in 30 s' : figure([recovered], 'ms'),
      ],
    }
    return { row, medians: during.map(({ tries }) => tries.quantile(0.5)) }
  }

  #open(type: 'relay' | 'peer'): Promise<Target> {
    return this.#target.ask<Target>({ type } satisfies TargetRequest)
  }

  #usage(): Promise<TargetUsage> {
    return this.#target.ask<TargetUsage>({ type: 'usage' } satisfies TargetRequest)
  }
}

/** With an identity that nothing else uses meanwhile; waits until there is one. */
async function oneOf(identities: Identity[], act: (identity: Identity) => Promise<void>): Promise<void> {
  let identity = identities.shift()
  for (; identity === undefined; identity = identities.shift()) await setTimeout(LOOK_AGAIN)
  try {
    await act(identity)
  } finally {
    identities.push(identity)
  }
}

/** Milliseconds until each kind of work is done about as fast as usual. */
async function timeToRecover(work: readonly Work[], usual: readonly number[]): Promise<number | undefined> {
  const begun = performance.now()
  for (const [index, median] of usual.entries()) {
    for (let taken = Number.POSITIVE_INFINITY; taken > AS_BEFORE * median; ) {
      if (performance.now() - begun > MAX_RECOVERY) return undefined
      const tries = new Tries()
      await tries.time(() => (work[index] as Work).act())
      await setTimeout(LOOK_AGAIN)
      taken = tries.taken[0] ?? taken
    }
  }
  return performance.now() - begun
}
