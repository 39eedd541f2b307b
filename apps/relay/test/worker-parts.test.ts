/** What joins the workers of a relay: their bus, what they used of quotas, and sums of what they show. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Steering } from '@showchain/client/runtime'
import { calendarDay } from '@showchain/server'
import { type FleetBus, UsageInMemory, type UsedBytes } from '@showchain/server/runtime'
import { type FleetAddress, FleetWriter } from '@showchain/wire/fleet'
import type { Logger } from 'pino'
import { afterEach, describe, expect, test } from 'vitest'
import type { Status } from '../src/status-shape.ts'
import { BusSwitch, PipeBus } from '../src/workers/bus-pipes.ts'
import { ToldUsage, UsageLedger } from '../src/workers/shared-usage.ts'
import { steered } from '../src/workers/steering.ts'
import { summed, Together } from '../src/workers/together.ts'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** Both ends of a pipe. */
async function pipe(): Promise<readonly [Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const mine = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [other] = (await accepted) as [Socket]
  server.close()
  ends.push(
    () => mine.destroy(),
    () => other.destroy(),
  )
  return [mine, other]
}

function messageTo(to: FleetAddress, from: number): Uint8Array {
  return new FleetWriter().take({ to, from, life: 1, time: 1 })
}

/** Workers with these numbers at one switch, and what each heard, as numbers of who said it. */
async function workers(nodes: readonly number[], beyond?: FleetBus) {
  const hub = new BusSwitch(beyond)
  ends.push(() => hub.close())
  const heard: Record<number, number[]> = {}
  const buses = await Promise.all(
    nodes.map(async (node) => {
      const [mine, other] = await pipe()
      hub.join(node, other)
      const bus = new PipeBus(mine)
      heard[node] = []
      bus.subscribe((message) => heard[node]?.push(message[4] as number))
      return { bus, mine }
    }),
  )
  return { hub, heard, buses }
}

describe('the bus of workers', () => {
  test('carries a message to one, or to all others', async () => {
    const { buses, heard } = await workers([7, 8, 9])
    buses[0]?.bus.publish(9, messageTo(9, 7))
    buses[1]?.bus.publish('all', messageTo('all', 8))
    await expect.poll(() => heard).toEqual({ 7: [8], 8: [], 9: [7, 8] })
  })

  test('carries what is for other nodes to them, and what comes from them', async () => {
    const sent: FleetAddress[] = []
    let inward: (message: Uint8Array) => void = () => {}
    const beyond: FleetBus = {
      publish: (to) => to !== 5 && sent.push(to) > 0,
      subscribe: (receive) => {
        inward = receive
      },
      close: async () => {},
    }
    const { hub, buses, heard } = await workers([7, 8], beyond)
    for (const to of [8, 3, 5, 'all'] as const) buses[0]?.bus.publish(to, messageTo(to, 7))
    await expect.poll(() => sent).toEqual([3, 'all'])
    expect(hub.lostBeyond).toBe(1)
    inward(messageTo(7, 3))
    inward(messageTo('all', 4))
    await expect.poll(() => heard).toEqual({ 7: [3, 4], 8: [7, 7, 4] })
  })

  test('ends with who says what is no message', async () => {
    const { buses, heard } = await workers([7, 8])
    const closed = once(buses[0]?.mine as Socket, 'close')
    buses[0]?.mine.write(Buffer.from('ffffffff00', 'hex'))
    await closed
    buses[1]?.bus.publish('all', messageTo('all', 8))
    expect(heard[7]).toEqual([])
  })

  test('loses what is for a worker that does not read, and keeps no more than 8 MiB of it', async () => {
    const { hub, buses } = await workers([7, 8])
    buses[1]?.mine.pause()
    const [mine] = buses
    const large = new Uint8Array(32_768)
    large.set(messageTo(8, 7).subarray(0, 17))
    for (let sent = 0; sent < 1000; sent++) {
      mine?.bus.publish(8, large)
      await new Promise(setImmediate)
    }
    await expect.poll(() => hub.lost).toBeGreaterThan(0)
  })
})

const KEYS = ['total', 'source:192.0.2.1']

/** Workers that share what was used. */
function sharing(count: number) {
  const store = new UsageInMemory()
  const ledger = new UsageLedger(store)
  const heard: UsedBytes[][] = Array.from({ length: count }, () => [])
  const told = heard.map(
    (_, worker) =>
      new ToldUsage({
        ask: ((_name: 'read', keys: readonly string[]) => ledger.read(keys)) as never,
        tell: ((_name: 'used', used: readonly UsedBytes[]) => {
          void ledger.add(used, () => {
            for (const [other, list] of heard.entries())
              if (other !== worker) {
                list.push(...used)
                told[other]?.heard(used)
              }
          })
        }) as never,
      }),
  )
  /** What was told so far is known to all. */
  const settled = (): Promise<unknown> => ledger.read([])
  return { ledger, told, heard, settled }
}

const usageOf = (key: string, bytes: number) => ({
  ...{ key, dayBytes: bytes, monthBytes: bytes },
  ...calendarDay(Date.now()),
})

describe('what workers used of quotas', () => {
  test('is added up, whatever each of them knows', async () => {
    const { ledger, told, settled } = sharing(2)
    await told[0]?.read(KEYS)
    await told[1]?.read(KEYS)
    await told[0]?.write([usageOf('total', 1000)])
    await settled()
    // It has heard of them: its account has both.
    await told[1]?.write([usageOf('total', 1000 + 300)])
    expect(await ledger.read(['total'])).toMatchObject([{ dayBytes: 1300, monthBytes: 1300 }])
    await told[0]?.write([usageOf('total', 1000 + 300 - 50)])
    expect(await ledger.read(['total'])).toMatchObject([{ dayBytes: 1250, monthBytes: 1250 }])
  })

  test('is heard by the others', async () => {
    const { told, heard, settled } = sharing(3)
    await told[0]?.write([usageOf('source:192.0.2.1', 70)])
    await settled()
    const used = { key: 'source:192.0.2.1', bytes: 70, ...calendarDay(Date.now()) }
    expect(heard).toEqual([[], [used], [used]])
  })

  test('is heard after the answer to one who was reading already, and is in that of who reads later', async () => {
    const { ledger, told, heard } = sharing(2)
    const before = ledger.read(['total']).then((usage) => [usage.length, heard[1]?.length])
    await told[0]?.write([usageOf('total', 500)])
    const after = ledger.read(['total']).then((usage) => [usage[0]?.monthBytes, heard[1]?.length])
    expect([await before, await after]).toEqual([
      [0, 0],
      [500, 1],
    ])
  })

  test('of a permit, which ends in another month, is of that month', async () => {
    const { ledger, told, settled } = sharing(2)
    const until = calendarDay(Date.now() + 100 * 86_400_000)
    const permit = (bytes: number) => ({ key: 'permit:1', dayBytes: bytes, monthBytes: bytes, ...until })
    await told[0]?.write([permit(10)])
    await settled()
    await told[1]?.write([permit(10 + 5)])
    expect(await ledger.read(['permit:1'])).toEqual([permit(15)])
  })

  test('is what it was for the successor of a worker', async () => {
    const { ledger, told } = sharing(2)
    await told[0]?.write([usageOf('total', 500)])
    const [kept] = (await told[1]?.read(['total'])) ?? []
    expect(kept?.monthBytes).toBe(500)
    await told[1]?.write([usageOf('total', 501)])
    expect(await ledger.read(['total'])).toMatchObject([{ monthBytes: 501 }])
  })
})

const STATUS: Status = {
  relay: { id: 'x', shortId: 'x', version: '1', node: 'v20', socket: 'batched', uptimeSeconds: 1, draining: false },
  peers: { count: 3, shown: [] },
  sessions: { count: 1, busiest: [] },
  pairs: { left: 1, relayed: 2, unanswered: 3 },
  history: { stepSeconds: 10, endsAt: 100, in: [1, 2, 3], out: [4, 5, 6] },
  refusals: [{ reason: 'unbound', times: 2, meaning: 'a' }],
  nodes: [],
}

describe('workers together', () => {
  test('show sums, of which the last steps end together', () => {
    const later = { ...STATUS, history: { ...STATUS.history, endsAt: 101, in: [10], out: [20] } }
    expect(summed([STATUS, later], true)).toMatchObject({
      relay: { draining: true },
      peers: { count: 6 },
      pairs: { left: 2, relayed: 4, unanswered: 6 },
      history: { endsAt: 101, in: [1, 2, 13], out: [4, 5, 26] },
      refusals: [{ reason: 'unbound', times: 4 }],
    })
  })

  test('list their peers one worker after the other, and bans until they end', async () => {
    const pages = [
      [
        { bindings: ['a'], next: 1 },
        { bindings: ['b'], next: undefined },
      ],
      [{ bindings: ['c'], next: undefined }],
    ]
    const members = pages.map((own, worker) => ({
      worker,
      line: { ask: async (_: string, from: number) => own[from] },
    }))
    let changes = 0
    const all = new Together({ members, ask: async () => [] } as never, () => void changes++)
    const listed: unknown[] = []
    for (let from: number | undefined = 0; from !== undefined; ) {
      const { bindings, next } = await all.bindings(from, 1)
      listed.push(...bindings)
      from = next
    }
    expect(listed).toEqual(['a', 'b', 'c'])
    await all.ban({ who: 'xx', until: 1 })
    await all.ban({ who: 'yy' })
    await all.learnBans([{ who: 'zz', at: 1 }])
    await all.learnBans([{ who: 'zz', at: 1 }])
    expect([all.bans, changes]).toEqual([[{ who: 'yy' }, { who: 'zz' }], 3])
    expect([await all.unban('yy'), await all.unban('yy')]).toEqual([true, false])
    expect(all.bans).toEqual([{ who: 'zz' }])
  })
})

describe('frames', () => {
  const logged = (steers: boolean) => {
    const asked: Steering[] = []
    const lines: string[] = []
    const log = { warn: (line: string) => lines.push(line) } as unknown as Logger
    const own = { steer: (steering: Steering) => asked.push(steering) > 0 && steers }
    return { does: steered(own, 8, log), asked, lines }
  }

  test('go to the worker of their session by the number in its id', () => {
    const { does, asked, lines } = logged(true)
    expect({ does, asked, lines }).toEqual({
      ...{ does: true, lines: [] },
      asked: [{ begins: 0xb3, length: 17, at: 15, first: 8 }],
    })
  })

  test('go to the worker of their sender where the kernel does not steer, which the log says', () => {
    const { does, lines } = logged(false)
    expect({ does, lines }).toEqual({ does: false, lines: [expect.stringContaining('does not steer')] })
  })
})
