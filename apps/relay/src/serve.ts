/** Runs a relay until a signal: opens it, prints its ticket, logs its events, drains it. */
import { type Trace, traceLine } from '@showchain/client/runtime'
import { type Identity, loadPublicKey, type PublicKey } from '@showchain/crypto'
import type { Mailbox } from '@showchain/mailbox/server'
import { Relay, type RelayOpenOptions, type WebSocketOptions } from '@showchain/server/runtime'
import { formatTicket, type PeerId, parseTicket, printable, ShowchainError } from '@showchain/wire'
import type { Logger } from 'pino'
import { Registry } from 'prom-client'
import { accessOf } from './access.ts'
import { type Config, UsageError } from './config.ts'
import { openControl } from './control.ts'
import { logEvent, logOpenSessions, watchLimits } from './event-log.ts'
import { fleetOf } from './fleet.ts'
import { identityAt } from './identity.ts'
import { logger } from './log.ts'
import { readNamed } from './named-file.ts'
import { serveOperators } from './operator-port.ts'
import { Timings } from './timings.ts'
import { UsageFolder } from './usage-folder.ts'
import { version } from './version.ts'

/** @param again reads the configuration once more, on SIGHUP */
export async function serve(config: Config, again: () => Promise<Config>): Promise<void> {
  // Before the ticket is printed: the process that reads it may send the signal at once.
  const ended = endSignal()
  const log = logger(config)
  const { identity, knownKeys } = await keysOf(config, log)
  const websocket = await websocketOf(config)
  const registry = new Registry()
  const timings = config.metrics && new Timings(registry)
  // It registers as soon as it is there, and is let in by then.
  const mailboxIdentity = config.mailbox ? await identityAt(`${config.identity}.mailbox`, config, true, log) : undefined
  const own = mailboxIdentity === undefined ? [] : [mailboxIdentity.id]
  const usage = config.usage === undefined ? undefined : await UsageFolder.open(config.usage, log)
  const fleet = await fleetOf(config, identity.id, log)
  const relay = await openRelay({
    identity,
    listen: config.listen,
    knownKeys,
    ...(websocket === undefined ? {} : { websocket }),
    limits: config.limits,
    ...accessOf(config, own),
    fleet,
    ...{ quotas: config.quota, usage },
    stunAlternates: config.stunAlternate,
    ...(config.publicAddress === undefined ? {} : { publicAddresses: config.publicAddress }),
    ...(config.trace ? { trace } : {}),
    onEvent: (event) => {
      logEvent(log, event)
      timings?.event(event)
    },
    onVerified: timings && ((seconds) => timings.verified(seconds)),
    onWarning: (sentence) => log.warn(sentence),
  })
  const mailbox = mailboxIdentity && (await closingOnFailure(relay, beside(relay, mailboxIdentity, log)))
  const measured = { relay, mailbox, version }
  const operators =
    config.metrics && (await closingOnFailure(relay, serveOperators(measured, registry, config.metrics, log), mailbox))
  const unwatch = watchLimits(relay, log)
  let drain: () => void = () => {}
  const told = new Promise<string>((resolve) => {
    drain = () => resolve('ctl')
  })
  const control =
    config.control === undefined
      ? undefined
      : await closingOnFailure(relay, openControl(config.control, { relay, bans: usage, drain, log }), mailbox)
  const reload = (): void => void reloaded(relay, own, again, log)
  process.on('SIGHUP', reload)
  process.stdout.write(`${formatTicket({ ...parseTicket(relay.ticket), mailbox: mailbox?.id })}\n`)
  const { kind, reason } = relay.socket
  const where = { addresses: relay.addresses, websocket: relay.websocketAddress }
  log.info({ id: relay.id, ...where, socket: `${kind}: ${reason}` }, 'listening')
  const signal = await Promise.race([ended, told])
  // Before anybody can read that it drains, and send the second one.
  const second = endSignal()
  log.info({ signal }, 'draining; a second signal ends the relay at once')
  const drained = Promise.resolve(mailbox?.close()).then(() => relay.drain({ timeout: config.drainSeconds * 1000 }))
  await Promise.race([drained, second])
  await control?.close()
  await relay.close()
  await usage?.close()
  unwatch()
  await operators?.close()
  logOpenSessions(log, relay)
  if (mailbox !== undefined) log.info(mailbox.counters(), 'mailbox ended')
  log.info(relay.counters(), 'ended')
  process.off('SIGHUP', reload)
}

/** A bus that was opened for a relay does not outlive its failure. */
async function openRelay(options: RelayOpenOptions): Promise<Relay> {
  try {
    return await Relay.open(options)
  } catch (error) {
    await options.fleet?.bus.close()
    throw error
  }
}

const trace: Trace = (entry) => void process.stderr.write(`${traceLine(entry)}\n`)

interface Keys {
  readonly identity: Identity
  readonly knownKeys: readonly PublicKey[]
}

/** @throws UsageError when a key file that the configuration names cannot be used. */
async function keysOf(config: Config, log: Logger): Promise<Keys> {
  const identity = await identityAt(config.identity, config, config.createIdentity, log)
  try {
    return { identity, knownKeys: await Promise.all(config.peerKey.map(loadPublicKey)) }
  } catch (error) {
    throw error instanceof ShowchainError ? new UsageError(error.message, { cause: error }) : error
  }
}

async function websocketOf(config: Config): Promise<WebSocketOptions | undefined> {
  const { websocket: listen, trustedProxy: trustedProxies, websocketOrigin: origins } = config
  return listen && { listen, tls: await certificateOf(config), trustedProxies, origins }
}

/** @throws UsageError when a file of the certificate cannot be read. */
async function certificateOf({ websocketCert, websocketKey }: Config): Promise<WebSocketOptions['tls']> {
  if (websocketCert === undefined || websocketKey === undefined) return undefined
  const read = async (path: string, key: keyof Config): Promise<string> => (await readNamed(path, key)).toString('utf8')
  return { cert: await read(websocketCert, 'websocketCert'), key: await read(websocketKey, 'websocketKey') }
}

/** The next SIGTERM or SIGINT. */
function endSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal))
  })
}

/** Takes what may change of the configuration. One that is wrong changes nothing. */
async function reloaded(
  relay: Relay,
  own: readonly PeerId[],
  again: () => Promise<Config>,
  log: Logger,
): Promise<void> {
  try {
    const config = await again()
    const tls = await certificateOf(config)
    const kept = relay.reload({ ...accessOf(config, own), quotas: config.quota, limits: config.limits, tls })
    log.level = config.logLevel
    log.info({ access: config.access }, 'configuration read again')
    if (kept.length > 0) log.warn({ limits: kept }, 'sizes of tables stay as they are until the relay starts again')
  } catch (error) {
    log.error(`the configuration was not taken: ${printable((error as Error).message)}`)
  }
}

/** What only a relay with a mailbox needs is loaded for it alone. */
async function beside(relay: Relay, identity: Identity, log: Logger): Promise<Mailbox> {
  const { openMailbox } = await import('./mailbox.ts')
  return openMailbox(relay, identity, log)
}

async function closingOnFailure<Result>(relay: Relay, opening: Promise<Result>, mailbox?: Mailbox): Promise<Result> {
  try {
    return await opening
  } catch (error) {
    await mailbox?.close()
    await relay.close()
    throw error
  }
}
