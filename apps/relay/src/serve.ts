/** Runs a relay until a signal: opens it, prints its ticket, logs its events, drains it. */

import { type Trace, traceLine } from '@showchain/client/runtime'
import {
  generateIdentity,
  type Identity,
  loadIdentity,
  loadPublicKey,
  type PublicKey,
  readPassphrase,
  saveIdentity,
} from '@showchain/crypto'
import { Relay } from '@showchain/server/runtime'
import { ShowchainError } from '@showchain/wire'
import type { Logger } from 'pino'
import { type Config, UsageError } from './config.ts'
import { logger } from './log.ts'
import { serveMetrics } from './metrics.ts'

export async function serve(config: Config): Promise<void> {
  // Before the ticket is printed: the process that reads it may send the signal at once.
  const ended = endSignal()
  const log = logger(config)
  const { identity, knownKeys } = await keysOf(config, log)
  const relay = await Relay.open({
    identity,
    listen: config.listen,
    knownKeys,
    limits: config.limits,
    stunAlternates: config.stunAlternate,
    ...(config.publicAddress === undefined ? {} : { publicAddresses: config.publicAddress }),
    ...(config.trace ? { trace } : {}),
    onEvent: (event) => log.debug(event, event.type),
    onWarning: (sentence) => log.warn(sentence),
  })
  const metrics =
    config.metrics === undefined ? undefined : await closingOnFailure(relay, serveMetrics(relay, config.metrics, log))
  process.stdout.write(`${relay.ticket}\n`)
  const { kind, reason } = relay.socket
  log.info({ id: relay.id, addresses: relay.addresses, socket: `${kind}: ${reason}` }, 'listening')
  const signal = await ended
  // Before anybody can read that it drains, and send the second one.
  const again = endSignal()
  log.info({ signal }, 'draining; a second signal ends the relay at once')
  await Promise.race([relay.drain({ timeout: config.drainSeconds * 1000 }), again])
  await relay.close()
  await metrics?.close()
  log.info(relay.counters(), 'ended')
}

const trace: Trace = (entry) => void process.stderr.write(`${traceLine(entry)}\n`)

interface Keys {
  readonly identity: Identity
  readonly knownKeys: readonly PublicKey[]
}

/** @throws UsageError when a key file that the configuration names cannot be used. */
async function keysOf(config: Config, log: Logger): Promise<Keys> {
  try {
    return { identity: await identityOf(config, log), knownKeys: await Promise.all(config.peerKey.map(loadPublicKey)) }
  } catch (error) {
    throw error instanceof ShowchainError ? new UsageError(error.message, { cause: error }) : error
  }
}

async function identityOf({ identity: path, passphraseFile, createIdentity }: Config, log: Logger): Promise<Identity> {
  const passphrase =
    passphraseFile === undefined ? process.env.SHOWCHAIN_PASSPHRASE : await readPassphrase(passphraseFile)
  try {
    return await loadIdentity(path, { passphrase })
  } catch (error) {
    if (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') throw error
    if (!createIdentity)
      throw new UsageError(
        `identity: there is no ${path}; create it with --create-identity, or with \`showchain keygen --out\``,
      )
  }
  const identity = await generateIdentity()
  await saveIdentity(identity, path, { passphrase })
  log.info({ id: identity.id, file: path }, 'created a new identity')
  return identity
}

/** The next SIGTERM or SIGINT, or SIGHUP: its terminal was closed. */
function endSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve(signal))
  })
}

async function closingOnFailure<Result>(relay: Relay, opening: Promise<Result>): Promise<Result> {
  try {
    return await opening
  } catch (error) {
    await relay.close()
    throw error
  }
}
