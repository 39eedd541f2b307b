/** Runs the relay until it is told to end: opens it, prints its ticket, logs what happens, drains on signals. */
import { generateIdentity, type Identity, loadIdentity, loadPublicKey, saveIdentity } from '@showchain/crypto'
import { Relay } from '@showchain/server/runtime'
import type { Logger } from 'pino'
import { type Config, isMissing, passphraseOf, UsageError } from './config.ts'
import { logger } from './log.ts'
import { serveMetrics } from './metrics.ts'
import { writeTrace } from './trace.ts'

export async function serve(config: Config): Promise<void> {
  // From now on: whoever reads the ticket may end the relay at once.
  const asked = endSignal()
  // Whoever read them has gone; that is no reason to stop serving.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const log = logger(config)
  const identity = await identityOf(config, log)
  const knownKeys = await Promise.all(config.peerKey.map(loadPublicKey))
  const relay = await Relay.open({
    identity,
    listen: config.listen,
    knownKeys,
    limits: config.limits,
    stunAlternates: config.stunAlternate,
    ...(config.publicAddress === undefined ? {} : { publicAddresses: config.publicAddress }),
    ...(config.trace ? { trace: writeTrace } : {}),
    onEvent: (event) => log.debug(event, event.type),
    onWarning: (sentence) => log.warn(sentence),
  })
  const metrics =
    config.metrics === undefined ? undefined : await closingOnFailure(relay, serveMetrics(relay, config.metrics, log))
  process.stdout.write(`${relay.ticket}\n`)
  log.info({ id: relay.id, addresses: relay.addresses }, 'listening')
  const signal = await asked
  log.info({ signal }, 'draining; once more ends at once')
  await Promise.race([relay.drain(), endSignal()])
  await relay.close()
  await metrics?.close()
  log.info(relay.counters(), 'ended')
}

async function identityOf(config: Config, log: Logger): Promise<Identity> {
  const passphrase = await passphraseOf(config, process.env)
  try {
    return await loadIdentity(config.identity, { passphrase })
  } catch (error) {
    if (!isMissing(error)) throw error
    if (!config.createIdentity)
      throw new UsageError(
        `identity: there is no ${config.identity}; --create-identity makes it, or \`showchain keygen --out\``,
      )
  }
  const identity = await generateIdentity()
  await saveIdentity(identity, config.identity, { passphrase })
  log.info({ id: identity.id, file: config.identity }, 'made a new identity')
  return identity
}

/** The next signal that asks this process to end. */
function endSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal))
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
