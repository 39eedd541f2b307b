/** A relay's place in a fleet, as its operator names it: secrets are read from files that only their owner reads. */
import type { FleetMembership } from '@showchain/server/runtime'
import type { PeerId } from '@showchain/wire'
import type { Logger } from 'pino'
import { type Config, UsageError } from './config.ts'
import { readPrivate } from './named-file.ts'
import type { NatsOptions } from './nats-link.ts'
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
  const nats = await natsOf(config, id, workers)
  if (nats === undefined) return undefined
  // Only who wants it loads it.
  const { NatsBus } = await import('./nats-bus.ts')
  return { node: nats.node, secret: nats.secret, bus: new NatsBus(nats, log) }
}

/** The NATS of a fleet, this relay's first number in it, and what all have. */
export interface FleetNats extends NatsOptions {
  readonly node: number
  readonly secret: Uint8Array
}

/** @throws UsageError when a file cannot be used. */
export async function natsOf(config: Config, id: PeerId, workers = 1): Promise<FleetNats | undefined> {
  const { fleet: servers, node, fleetSecret, fleetCredentials } = config
  if (servers === undefined || node === undefined || fleetSecret === undefined) return undefined
  const secret = secretFrom((await readPrivate(fleetSecret, 'fleetSecret')).toString('utf8').trim())
  const credentials =
    fleetCredentials === undefined ? undefined : await readPrivate(fleetCredentials, 'fleetCredentials')
  const nodes = Array.from({ length: workers }, (_, index) => node + index)
  return { servers, credentials, fleet: shortId(id), nodes, node, secret }
}

function secretFrom(text: string): Uint8Array {
  if (HEX.test(text)) return Buffer.from(text, 'hex')
  if (BASE64.test(text)) return Buffer.from(text, 'base64')
  throw new UsageError('fleetSecret: the file has not 32 bytes in hexadecimal or base64')
}
