/**
 * From the call of `connect` to an open connection, beside HyperDHT, and what RSA both ends and the
 * relay do for it. All processes are warm; both ends are registered, and have never met.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { ConnectOptions } from '@showchain/client'
import { type Address, formatTicket, parseTicket } from '@showchain/wire'
import { relayActor } from './actors.ts'
import { Child } from './child.ts'
import type { ConnectRequest, Whose } from './connect-process.ts'
import type { Effort } from './effort.ts'
import { type Cell, type FigureTable, type Findings, figure, times } from './figures.ts'
import { LOOPBACK } from './loopback.ts'
import type { RelayRequest } from './relay-process.ts'
import type { RsaOperations } from './rsa-count.ts'
import type { StreamRequest } from './stream-process.ts'
import { openTestnet, type Testnet, withoutHyperdht } from './testnet.ts'

/** What an end still does once it is ready, or has a connection, is over by then, in ms. */
const SETTLING = 250
/** Of our target: who shares an address with it is told so by the relay, which signs that. */
const TARGET_HOST = '127.0.0.2'
/** Rounds that warm the processes up. */
const WARM_UP = 3
/** Of HyperDHT's, whose hole punching on one host gives up now and then. */
const ATTEMPTS = 4

/** A warm pair of ends and what is between them. */
interface Way {
  readonly name: string
  /** Index of the way of HyperDHT's that it is compared with. */
  readonly beside?: number
  readonly whose: Whose
  readonly via: ConnectOptions['via']
  readonly caller: Child
  readonly target: Child
  readonly to: string
  /** The relay that counts its RSA operations. */
  readonly relay?: Child
}

export interface Sample {
  readonly ms: number
  /** Of the requester, the target and the relay; none of HyperDHT's, which has no RSA. */
  readonly rsa: readonly RsaOperations[]
}

export interface Connected {
  readonly name: string
  /** Name of what it is compared with. */
  readonly beside: string | undefined
  readonly samples: readonly Sample[]
}

const ask = <Result = undefined>(
  child: Child,
  request: ConnectRequest | RelayRequest | StreamRequest,
): Promise<Result> => child.ask<Result>(request)

export async function connect({ connects, hyperdht }: Effort): Promise<Findings> {
  const missing = hyperdht ? await withoutHyperdht() : undefined
  const children: Child[] = []
  const start = (file: string): Child => {
    const child = new Child(file)
    children.push(child)
    return child
  }
  let testnet: Testnet | undefined
  try {
    if (hyperdht && missing === undefined) testnet = await openTestnet()
    const theirs = testnet === undefined ? [] : await theirWays(testnet, start)
    const ways = [...theirs, await bareWay(start), ...(await ourWays(start))]
    const found = ways.map((): Sample[] => [])
    for (let round = -Math.min(WARM_UP, connects); round < connects; round++)
      for (const [index, way] of ways.entries()) {
        const sample = await persistently(() => once(way), way.relay === undefined ? ATTEMPTS : 1)
        if (round >= 0) found[index]?.push(sample)
      }
    const connected = ways.map(({ name, beside }, index): Connected => {
      const reference = testnet === undefined || beside === undefined ? undefined : theirs[beside]?.name
      return { name, beside: reference, samples: found[index] ?? [] }
    })
    return { tables: [timeTable(connected, missing), rsaTable(connected)] }
  } finally {
    await Promise.all(children.map((child) => child.stop()))
    await testnet?.destroy()
  }
}

async function theirWays(testnet: Testnet, start: (file: string) => Child): Promise<readonly Way[]> {
  const { bootstrap } = testnet
  const relay = await ask<string>(start('./stream-process.js'), { type: 'relay', bootstrap })
  const way = async (name: string, through: string | undefined): Promise<Way> => {
    const [caller, target] = [start('./connect-process.js'), start('./connect-process.js')]
    const whose = { bootstrap, relay: through }
    return {
      name,
      whose,
      via: undefined,
      caller,
      target,
      to: await ask(target, { type: 'listen', whose, host: LOOPBACK }),
    }
  }
  return [await way('HyperDHT, direct', undefined), await way('HyperDHT, through a relay', relay)]
}

/** The least that it takes, whatever the protocol. */
async function bareWay(start: (file: string) => Child): Promise<Way> {
  const [caller, target] = [start('./bare-exchange-process.js'), start('./bare-exchange-process.js')]
  const whose = { relays: [] }
  const to = await ask<string>(target, { type: 'listen', whose, host: LOOPBACK })
  return { name: 'a bare exchange, with no protocol', beside: 0, whose, via: undefined, caller, target, to }
}

async function ourWays(start: (file: string) => Child): Promise<readonly Way[]> {
  const relay = start('./relay-process.js')
  const { identity } = relayActor()
  const port = await ask<number>(relay, {
    ...{ type: 'open', privateKey: identity.toPem(), knownKeys: [], limits: {} },
  })
  const addresses: readonly Address[] = [{ host: LOOPBACK, port }]
  const relays = [formatTicket({ id: identity.id, relays: [], addresses })]
  const [caller, target] = [start('./connect-process.js'), start('./connect-process.js')]
  const whose = { relays }
  const byAddress = await ask<string>(target, { type: 'listen', whose, host: TARGET_HOST })
  const byRelay = formatTicket({ ...parseTicket(byAddress), addresses: [] })
  const ends = { whose, caller, target, relay }
  return [
    { ...ends, name: 'direct, at an address of the ticket', beside: 0, via: 'direct', to: byAddress },
    { ...ends, name: 'introduced by a relay', beside: 0, via: 'auto', to: byRelay },
    { ...ends, name: 'introduced by a relay, until direct', beside: 0, via: 'direct-only', to: byRelay },
    { ...ends, name: 'through a relay', beside: 1, via: 'relay-only', to: byRelay },
  ]
}

async function persistently<T>(job: () => Promise<T>, attempts: number): Promise<T> {
  for (let attempt = 1; ; attempt++)
    try {
      return await job()
    } catch (error) {
      if (attempt === attempts) throw error
    }
}

async function once({ whose, via, caller, target, to, relay }: Way): Promise<Sample> {
  const counted = async (): Promise<readonly RsaOperations[]> =>
    relay === undefined
      ? []
      : Promise.all([caller, target, relay].map((child) => ask<RsaOperations>(child, { type: 'rsa' })))
  try {
    await ask(caller, { type: 'prepare', whose, host: LOOPBACK })
    await pause(SETTLING)
    const before = await counted()
    const ms = await ask<number>(caller, { type: 'connect', to, via })
    await pause(SETTLING)
    const rsa = (await counted()).map(({ signed, verified }, index) => {
      const earlier = before[index] as RsaOperations
      return { signed: signed - earlier.signed, verified: verified - earlier.verified }
    })
    return { ms, rsa }
  } finally {
    await ask(caller, { type: 'close' })
  }
}

/** @param missing why there is nothing to compare with */
export function timeTable(found: readonly Connected[], missing: string | undefined): FigureTable {
  const timed = found.map((each) => ({
    ...each,
    time: figure(
      each.samples.map(({ ms }) => ms),
      'ms',
    ),
  }))
  return {
    title: 'From connect() to an open, protected connection',
    columns: ['what', 'time', ': HyperDHT'],
    rows: timed.map(({ name, beside, time }) => {
      const reference = timed.find((other) => other.name === beside)
      return { name, cells: [time, reference === undefined ? '' : times(time, reference.time)] }
    }),
    references: found.filter(({ name }) => name.startsWith('HyperDHT')).map(({ name }) => name),
    notes: [
      'Loopback, RSA-2048, each end and the relay in a warm process of its own. Both ends are registered, or',
      "know HyperDHT's nodes, and have never met. Goals: 0.5 × HyperDHT direct, 0.4 × through a relay. The bare",
      'exchange signs and checks as much, over the same sockets: less than it takes, no protocol can.',
      ...(missing === undefined ? [] : [missing]),
    ],
  }
}

/** Beside a number of operations, who did them: in the order of `Sample.rsa`. */
const WHO = ['requester', 'target', 'relay'] as const

export function rsaTable(found: readonly Connected[]): FigureTable {
  return {
    title: 'RSA operations of a connection, until it has settled',
    columns: ['what', ...(['signed', 'verified'] as const).flatMap((what) => WHO.map((who) => `${what} by ${who}`))],
    rows: found
      .filter(({ samples }) => (samples[0]?.rsa.length ?? 0) > 0)
      .map(({ name, samples }) => ({
        name,
        cells: (['signed', 'verified'] as const).flatMap((what) =>
          WHO.map((_, index) => rangeOf(samples.map(({ rsa }) => rsa[index]?.[what] ?? 0))),
        ),
      })),
    notes: ['The least and the most of all samples. Goal: one signature at each end, none at the relay.'],
  }
}

function rangeOf(counts: readonly number[]): Cell {
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  return least === most ? String(least) : `${least}–${most}`
}
