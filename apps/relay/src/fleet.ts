/** A relay's place in a fleet, as its operator names it: secrets are read from files that only their owner reads. */
import type { FleetMembership } from '@showchain/server/runtime'
import type { PeerId } from '@showchain/wire'
import type { Logger } from 'pino'
import { type Config, UsageError } from './config.ts'
import { readPrivate } from './named-file.ts'
import { shortId } from './short-id.ts'

/** 32 bytes in hexadecimal, or in base64 or base64url. */
const HEX = /^[0-9a-fA-F]{64}$/
const BASE64 = /^[\w+/-]{43}=?$/

/**
 * @param workers how many nodes listen by its bus, from `node` on
 * @throws UsageError when a file cannot be used.
 */
export async function fleetOf(
  config: Config,
  id: PeerId,
  log: Logger,
  workers = 1,
): Promise<FleetMembership | undefined> {
  const { fleet: servers, node, fleetSecret, fleetCredentials } = config
  if (servers === undefined || node === undefined || fleetSecret === undefined) return undefined
  const secret = secretFrom((await readPrivate(fleetSecret, 'fleetSecret')).toString('utf8').trim())
  const credentials =
    fleetCredentials === undefined ? undefined : await readPrivate(fleetCredentials, 'fleetCredentials')
  // Only who wants it loads it.
  const { NatsBus } = await import('./nats-bus.ts')
  const nodes = Array.from({ length: workers }, (_, index) => node + index)
  return { node, secret, bus: new NatsBus({ servers, credentials, fleet: shortId(id), nodes }, log) }
}

function secretFrom(text: string): Uint8Array {
  if (HEX.test(text)) return Buffer.from(text, 'hex')
  if (BASE64.test(text)) return Buffer.from(text, 'base64')
  throw new UsageError('fleetSecret: the file has not 32 bytes in hexadecimal or base64')
}
