/** Bans of a fleet, kept by its NATS: real servers with JetStream. */
import { type KV, Kvm } from '@nats-io/kv'
import { connect } from '@nats-io/transport-node'
import { Bans } from '@showchain/server'
import type { BanRecord } from '@showchain/server/runtime'
import { needsTool } from '@showchain-tooling/vitest/needs'
import { Folder } from '@showchain-tooling/vitest/programs'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { BanHolder } from '../src/bans.ts'
import { NatsBans } from '../src/nats-bans.ts'
import { UsageShares } from '../src/usage-share.ts'
import { freePort, NATS, startNats } from './nats.ts'

const SECRET = new Uint8Array(32).fill(7)
const KEY = 'bans'
/** Of NATS' largest message, by default. */
const MAX_VALUE = 1_048_576

const stores = new Folder()
const ends: (() => unknown)[] = []
let count = 0
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
afterAll(() => stores.remove())

async function bucket(): Promise<KV> {
  const port = await freePort()
  await startNats(port, ['-js', '-sd', stores.file(`jetstream-${count++}`)], ends)
  const connection = await connect({ servers: `127.0.0.1:${port}` })
  ends.push(() => connection.close())
  return new Kvm(connection).create('permits')
}

/** A relay that knows nothing of bans yet but these. */
class Holder extends Bans implements BanHolder {
  constructor(...known: readonly BanRecord[]) {
    super()
    this.learnBans(known)
  }

  get banRecords(): readonly BanRecord[] {
    return this.records
  }

  learnBans(records: readonly BanRecord[]): void {
    for (const record of records) this.learn(record, Date.now())
  }
}

/** A relay of the fleet joins. @returns its bans, and what keeps them */
async function joined(kv: () => KV, node: number, holder = new Holder(), secret = SECRET) {
  const bans = new NatsBans(node, new UsageShares(secret), kv)
  await bans.join(holder)
  return { bans, holder }
}

const one: BanRecord = { who: '192.0.2.1', at: 5 }
const two: BanRecord = { who: '192.0.2.2', at: 6, until: 4_000_000_000_000 }

describe('bans in NATS', needsTool(NATS, NATS), () => {
  test('are those of all relays, whichever of them are there', async () => {
    const kv = await bucket()
    await joined(() => kv, 1, new Holder(one))
    const { holder } = await joined(() => kv, 2, new Holder(two))
    expect(holder.list).toEqual(expect.arrayContaining([{ who: one.who }, { who: two.who, until: two.until }]))
    expect((await joined(() => kv, 3)).holder.list).toHaveLength(2)
  })

  test('that are taken back by one are so for all, also for one that comes with an older one', async () => {
    const kv = await bucket()
    const { bans, holder } = await joined(() => kv, 1, new Holder(one))
    holder.remove(one.who, Date.now())
    await bans.keep()
    expect((await joined(() => kv, 2, new Holder(one))).holder.list).toEqual([])
    expect((await joined(() => kv, 3)).holder.list).toEqual([])
  })

  test('of relays that write at the same time are all kept', async () => {
    const kv = await bucket()
    const all = Array.from({ length: 4 }, (_, node) => ({ who: `192.0.2.${node}`, at: 5 }))
    await Promise.all(all.map((record, node) => joined(() => kv, node, new Holder(record))))
    expect((await joined(() => kv, 9)).holder.list).toHaveLength(all.length)
  })

  test('are believed of nodes with the secret alone', async () => {
    const kv = await bucket()
    await joined(() => kv, 1, new Holder(one), new Uint8Array(32))
    expect((await joined(() => kv, 2)).holder.list).toEqual([])
    await kv.put(KEY, 'garbage')
    await joined(() => kv, 2, new Holder(two))
    expect((await joined(() => kv, 3)).holder.list).toEqual([{ who: two.who, until: two.until }])
  })

  test('are not taken back by who brings an older value of theirs back', async () => {
    const kv = await bucket()
    const { bans, holder } = await joined(() => kv, 1)
    const before = await kv.get(KEY)
    holder.add({ who: one.who }, Date.now())
    await bans.keep()
    await kv.put(KEY, before?.value ?? '')
    await bans.keep()
    expect((await joined(() => kv, 2)).holder.list).toEqual([{ who: one.who }])
  })

  test('that nobody could read at first are joined with what was said since', async () => {
    const kv = await bucket()
    await joined(() => kv, 1, new Holder(one))
    let there = false
    const away = (): KV => {
      if (!there) throw new Error('away')
      return kv
    }
    const { bans, holder } = await joined(away, 2, new Holder(two))
    await bans.keep()
    expect(holder.list).toHaveLength(1)
    there = true
    await bans.sync()
    expect(holder.list).toHaveLength(2)
    expect((await joined(() => kv, 3)).holder.list).toHaveLength(2)
  })

  test('that an earlier version kept for each relay are taken over, once', async () => {
    const kv = await bucket()
    const former = 'bans.1'
    const shares = new UsageShares(SECRET)
    await kv.put(former, shares.tagged(former, JSON.stringify([{ who: one.who }, { who: two.who, until: two.until }])))
    const { bans, holder } = await joined(() => kv, 1)
    expect(holder.list).toHaveLength(2)
    expect(await kv.get(former)).toMatchObject({ operation: 'DEL' })
    holder.remove(one.who, Date.now())
    await bans.keep()
    expect((await joined(() => kv, 1)).holder.list).toEqual([{ who: two.who, until: two.until }])
  })

  test('are as many as there may be', async () => {
    const kv = await bucket()
    const holder = new Holder()
    const idOf = (number: number): string => String(number).padStart(43, 'x')
    for (let number = 0; number < 11_000; number++)
      holder.learn({ who: idOf(number), at: Date.now(), until: 4_000_000_000_000 }, Date.now())
    for (let number = 0; number < 1000; number++) holder.remove(idOf(number), Date.now())
    for (let number = 11_000; number < 12_000; number++)
      holder.learn({ who: idOf(number), at: Date.now(), until: 4_000_000_000_000 }, Date.now())
    await joined(() => kv, 1, holder)
    const kept = await kv.get(KEY)
    expect(kept?.length).toBeLessThan(MAX_VALUE)
    expect((await joined(() => kv, 2)).holder.records).toHaveLength(12_000)
  })
})
