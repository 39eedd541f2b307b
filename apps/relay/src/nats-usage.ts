/**
 * What was used of quotas, kept by the relays of a fleet in the key-value store of NATS (JetStream). Each
 * relay has a key of its own for each account, so that nobody waits for another's writing: what was used of
 * an account is the sum. A relay adds to its shares every 5 s, which is what it forgets when it is killed,
 * and learns then what the others added to the same accounts.
 *
 *   <account, base64url>.<node>   a share     nodes.<node>   this relay has shares
 *
 * Without NATS a relay counts alone, and adds what it counted when NATS is there again.
 */
import { type KV, Kvm } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'
import { Account } from '@showchain/server'
import type { Usage, UsageStore, UsedBytes } from '@showchain/server/runtime'
import { printable, toBase64url, utf8 } from '@showchain/wire'
import { MAX_FLEET_NODE } from '@showchain/wire/fleet'
import type { Logger } from 'pino'
import type { FleetNats } from './fleet.ts'
import { NatsBans } from './nats-bans.ts'
import { NatsLink } from './nats-link.ts'
import { type Share, together, UsageShares } from './usage-share.ts'

/** Milliseconds between two writings. */
const WRITE_INTERVAL = 5000
/** Milliseconds that the start of a relay waits for NATS, and its end. */
const PATIENCE = 3000
/** Milliseconds of a question to the store. */
const ANSWER_TIME = 2000
/** Requests at a time. */
const AT_ONCE = 64
/** Accounts that something is known of; the oldest makes room. */
const MAX_ACCOUNTS = 1_048_576
/** What counts for a month is in no other one. */
const SHARE_LIFETIME = 32 * 86_400_000
/** It is loaded once. */
const TOTAL = 'total'

const WORDS = {
  there: 'quotas are counted with the other relays of the fleet',
  again: 'quotas are counted with the other relays of the fleet again',
  away: 'quotas are counted by this relay alone, until there is a NATS server with JetStream',
}

/** Permits may end years from now: what was used of them stays. */
interface Buckets {
  readonly months: KV
  readonly permits: KV
}

export class NatsUsage implements UsageStore {
  readonly bans: NatsBans
  readonly #node: number
  readonly #shares: UsageShares
  readonly #link: NatsLink
  readonly #log: Logger
  readonly #timer: NodeJS.Timeout
  #buckets: Buckets | undefined
  #others: readonly number[] = []
  /** What is to be added to this relay's shares. */
  readonly #pending = new Map<string, UsedBytes>()
  /** What whoever writes here knows of accounts. */
  readonly #told = new Map<string, Usage>()
  #heard: (used: readonly UsedBytes[]) => void = () => {}
  #writing: Promise<void> | undefined

  private constructor(options: FleetNats, log: Logger, connected: () => void) {
    this.#node = options.node
    this.#shares = new UsageShares(options.secret)
    this.#log = log
    this.bans = new NatsBans(options.node, this.#shares, () => this.#opened().permits)
    let opened: Buckets | undefined
    this.#link = new NatsLink(
      options,
      {
        opened: async (connection) => {
          opened = await this.#open(connection, options.fleet)
        },
        there: () => {
          this.#buckets = opened
          connected()
        },
        away: () => {
          this.#buckets = undefined
        },
        words: WORDS,
      },
      log,
    )
    this.#timer = setInterval(() => void this.#write(), WRITE_INTERVAL)
  }

  /** Waits a little for NATS, and goes on without. */
  static open(options: FleetNats, log: Logger): Promise<NatsUsage> {
    return new Promise((resolve) => {
      const ready = (): void => {
        clearTimeout(patience)
        resolve(usage)
      }
      const patience = setTimeout(ready, PATIENCE)
      const usage = new NatsUsage(options, log, ready)
    })
  }

  /** Calls back with what others used, of all together and of accounts that are written here. Called once. */
  listen(heard: (used: readonly UsedBytes[]) => void): void {
    this.#heard = heard
  }

  /** Where nothing can be read, counting begins with nothing: what is found later is told. */
  async read(accounts: readonly string[]): Promise<readonly Usage[]> {
    return (await Promise.all(accounts.map((account) => this.#read(account)))).filter((usage) => usage !== undefined)
  }

  async #read(account: string): Promise<Usage | undefined> {
    const shares = await this.#sharesOf(account, [this.#node, ...this.#others]).catch(() => [])
    const usage = this.#sumOf(account, shares)
    this.#tell(usage ?? { key: account, day: 0, dayBytes: 0, month: 0, monthBytes: 0 })
    return usage
  }

  /** In 5 s at most. */
  async write(usage: readonly Usage[]): Promise<void> {
    for (const each of usage) {
      const { key, day, month, monthBytes } = each
      const told = this.#told.get(key)
      const bytes = monthBytes - (told?.month === month ? told.monthBytes : 0)
      this.#tell(each)
      if (bytes !== 0) this.#add({ key, day, month, bytes })
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    const last = async (): Promise<void> => {
      await this.#writing
      await this.#write()
    }
    await Promise.race([last(), new Promise((resolve) => setTimeout(resolve, PATIENCE).unref())])
    await this.#link.close()
  }

  #add({ key, day, month, bytes }: UsedBytes): void {
    const before = this.#pending.get(key)
    if (before === undefined && this.#pending.size >= MAX_ACCOUNTS) deleteFirst(this.#pending)
    const sum = bytes + (before?.bytes ?? 0)
    this.#pending.set(key, { key, day: Math.max(day, before?.day ?? 0), month, bytes: sum })
  }

  #tell(usage: Usage): void {
    this.#told.delete(usage.key)
    this.#told.set(usage.key, usage)
    if (this.#told.size > MAX_ACCOUNTS) deleteFirst(this.#told)
  }

  /** With what is not written. */
  #sumOf(account: string, shares: readonly Share[]): Usage | undefined {
    const pending = this.#pending.get(account)
    return together(account, pending === undefined ? shares : [...shares, shareOf(pending)])
  }

  async #open(connection: NatsConnection, fleet: string): Promise<Buckets> {
    const kvm = new Kvm(connection)
    const [months, permits] = await Promise.all([
      kvm.create(`showchain_${fleet}_usage`, { ttl: SHARE_LIFETIME, timeout: ANSWER_TIME }),
      kvm.create(`showchain_${fleet}_permits`, { timeout: ANSWER_TIME }),
    ])
    await this.#meet(months)
    return { months, permits }
  }

  /** Each relay of the fleet says that it has shares, again and again: what is kept ends. */
  async #meet(months: KV): Promise<void> {
    await months.put(`nodes.${this.#node}`, '')
    const nodes: number[] = []
    for await (const key of await months.keys('nodes.*')) nodes.push(Number(key.slice('nodes.'.length)))
    this.#others = nodes.filter((node) => Number.isInteger(node) && node <= MAX_FLEET_NODE && node !== this.#node)
  }

  /** One after the other. What could not be written is written with what follows. */
  #write(): Promise<void> {
    this.#writing ??= this.#writeAll()
      .catch((error: unknown) => this.#log.debug(`usage was not kept: ${printable((error as Error).message)}`))
      .finally(() => {
        this.#writing = undefined
      })
    return this.#writing
  }

  async #writeAll(): Promise<void> {
    const { months } = this.#buckets ?? {}
    if (months === undefined) return
    await this.#meet(months)
    const used = [...this.#pending.values()]
    const total = this.#told.get(TOTAL)?.dayBytes
    for (let at = 0; at < used.length; at += AT_ONCE)
      await Promise.all(used.slice(at, at + AT_ONCE).map((each) => this.#keep(each)))
    if (!used.some(({ key }) => key === TOTAL)) await this.#learn(TOTAL)
    if (used.length > 0) this.#log.debug({ entries: used.length, total }, 'usage kept')
    await this.bans.sync()
  }

  async #keep(used: UsedBytes): Promise<void> {
    const { key: account } = used
    this.#pending.delete(account)
    try {
      const [kept] = await this.#sharesOf(account, [this.#node])
      const own = new Account({ ...(kept ?? { ...shareOf(used), dayBytes: 0, monthBytes: 0 }), key: account })
      own.learn(used.bytes, used)
      const key = keyOf(account, this.#node)
      await this.#bucketOf(account).put(key, this.#shares.write(key, own.usage))
    } catch (error) {
      this.#add(used)
      throw error
    }
    await this.#learn(account)
  }

  /** Tells what others have used of it since it was told last. */
  async #learn(account: string): Promise<void> {
    const shares = await this.#sharesOf(account, [this.#node, ...this.#others])
    const told = this.#told.get(account)
    const sum = this.#sumOf(account, shares)
    if (told === undefined || sum === undefined) return
    const { key, day, month } = sum
    const bytes = sum.monthBytes - (told.month === month ? told.monthBytes : 0)
    if (bytes === 0) return
    const onDay = Math.min(bytes, sum.dayBytes - (told.day === day ? told.dayBytes : 0))
    // What is of earlier days is so for the month alone.
    const heard = [
      { key, day, month, bytes: onDay },
      { key, day: day - 1, month, bytes: bytes - onDay },
    ]
    this.#tell(sum)
    this.#heard(heard.filter((each) => each.bytes !== 0))
  }

  /** @throws Error when NATS does not answer */
  async #sharesOf(account: string, nodes: readonly number[]): Promise<readonly Share[]> {
    const bucket = this.#bucketOf(account)
    const shares = nodes.map(async (node) => {
      const key = keyOf(account, node)
      const entry = await bucket.get(key)
      return entry === null ? undefined : this.#shares.read(key, entry.string())
    })
    return (await Promise.all(shares)).filter((share) => share !== undefined)
  }

  #bucketOf(account: string): KV {
    return account.startsWith('permit:') ? this.#opened().permits : this.#opened().months
  }

  #opened(): Buckets {
    if (this.#buckets === undefined) throw new Error('NATS is not there')
    return this.#buckets
  }
}

const keyOf = (account: string, node: number): string => `${toBase64url(utf8(account))}.${node}`
const shareOf = ({ day, month, bytes }: UsedBytes): Share => ({ day, dayBytes: bytes, month, monthBytes: bytes })
const deleteFirst = (map: Map<string, unknown>): void => void map.delete(map.keys().next().value as string)
