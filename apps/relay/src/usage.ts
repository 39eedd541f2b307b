/** Where the configuration says that what was used of quotas is kept. */
import { printable } from '@showchain/wire'
import type { Logger } from 'pino'
import type { KeptBans } from './bans.ts'
import { type Config, USAGE_BY_NATS } from './config.ts'
import { natsOf } from './fleet.ts'
import type { NatsUsage } from './nats-usage.ts'
import { keysOf } from './opened-relay.ts'
import { UsageFolder } from './usage-folder.ts'

/** What was used, and bans, which are kept with it. */
export interface OpenedUsage {
  readonly store: UsageFolder | NatsUsage
  readonly bans: KeptBans
  /** In a fleet: what its other relays use. */
  readonly elsewhere: NatsUsage | undefined
}

/** @throws UsageError when it cannot be used. */
export async function usageOf(config: Config, log: Logger): Promise<OpenedUsage | undefined> {
  if (config.usage === undefined) return undefined
  if (config.usage !== USAGE_BY_NATS) {
    const folder = await UsageFolder.open(config.usage, log)
    return { store: folder, bans: folder, elsewhere: undefined }
  }
  const nats = await natsOf(config, (await keysOf(config, log)).identity.id)
  if (nats === undefined) throw new Error('checked with the configuration')
  // Only who wants it loads it.
  const { NatsUsage } = await import('./nats-usage.ts')
  const usage = await NatsUsage.open(nats, log)
  return { store: usage, bans: usage.bans, elsewhere: usage }
}

/** They have changed. */
export function keepBans(bans: KeptBans | undefined, log: Logger): void {
  bans?.keep().catch((error: Error) => log.warn(`bans could not be written: ${printable(error.message)}`))
}
