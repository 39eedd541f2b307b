/** A relay's place in a fleet, as its operator names it: secrets are read from files that only their owner reads. */
import { open } from 'node:fs/promises'
import type { FleetMembership } from '@showchain/server/runtime'
import { type PeerId, printable } from '@showchain/wire'
import type { Logger } from 'pino'
import { type Config, UsageError } from './config.ts'
import { shortId } from './short-id.ts'

/** Permissions of others than the owner. */
const OTHERS = 0o077
/** 32 bytes in hexadecimal, or in base64 or base64url. */
const HEX = /^[0-9a-fA-F]{64}$/
const BASE64 = /^[\w+/-]{43}=?$/

/** @throws UsageError when a file cannot be used. */
export async function fleetOf(config: Config, id: PeerId, log: Logger): Promise<FleetMembership | undefined> {
  const { fleet: servers, node, fleetSecret, fleetCredentials } = config
  if (servers === undefined || node === undefined || fleetSecret === undefined) return undefined
  const secret = secretFrom((await readPrivate(fleetSecret, 'fleetSecret')).toString('utf8').trim())
  const credentials =
    fleetCredentials === undefined ? undefined : await readPrivate(fleetCredentials, 'fleetCredentials')
  // Only who wants it loads it.
  const { NatsBus } = await import('./nats-bus.ts')
  return { node, secret, bus: new NatsBus({ servers, credentials, fleet: shortId(id), node }, log) }
}

function secretFrom(text: string): Uint8Array {
  if (HEX.test(text)) return Buffer.from(text, 'hex')
  if (BASE64.test(text)) return Buffer.from(text, 'base64')
  throw new UsageError('fleetSecret: the file has not 32 bytes in hexadecimal or base64')
}

async function readPrivate(path: string, key: keyof Config): Promise<Buffer> {
  try {
    await using file = await open(path)
    const { mode } = await file.stat()
    if (process.platform !== 'win32' && (mode & OTHERS) !== 0)
      throw new Error(`${path} has mode ${(mode & 0o777).toString(8)}: others may read it`)
    return await file.readFile()
  } catch (cause) {
    throw new UsageError(`${key}: ${printable((cause as Error).message)}`, { cause })
  }
}
