/** A relay and what runs beside it in one process, from a configuration: opened together, and closed together. */
import { type Trace, traceLine } from '@showchain/client/runtime'
import { type Identity, loadPublicKey, type PublicKey } from '@showchain/crypto'
import type { Mailbox, ServeOptions } from '@showchain/mailbox/server'
import {
  type BanRecord,
  type FleetMembership,
  Relay,
  type RelayOpenOptions,
  type WebSocketOptions,
} from '@showchain/server/runtime'
import { type PeerId, printable, ShowchainError } from '@showchain/wire'
import type { Logger } from 'pino'
import { Registry } from 'prom-client'
import { accessOf } from './access.ts'
import { type Config, UsageError } from './config.ts'
import { logEvent } from './event-log.ts'
import { identityAt } from './identity.ts'
import { readNamed } from './named-file.ts'
import { Timings } from './timings.ts'

export interface RelaySurroundings extends Pick<RelayOpenOptions, 'usage' | 'shared'> {
  readonly log: Logger
  /** Nodes of its fleet of which the log says nothing. @default none */
  readonly quietNodes?: readonly number[] | undefined
  /** Somebody is banned, or no longer: said here or at another node of the fleet. */
  readonly onBanned?: ((record: BanRecord) => void) | undefined
  readonly fleet?: ((id: PeerId) => Promise<FleetMembership | undefined>) | undefined
}

export interface OpenedRelay {
  readonly relay: Relay
  /** What is measured as it happens. */
  readonly registry: Registry
  /** Whether it has a certificate for WebSocket. */
  readonly certified: boolean
  /** Ids that are always let in: of what runs beside it. */
  readonly own: readonly PeerId[]
  /** What the mailbox has, where the configuration wants one. */
  readonly mailboxIdentity: Identity | undefined
}

/** @throws UsageError, or ShowchainError as `Relay.open` */
export async function openRelay(
  config: Config,
  { log, usage, shared, fleet, onBanned, quietNodes = [] }: RelaySurroundings,
): Promise<OpenedRelay> {
  const { identity, knownKeys, mailboxIdentity } = await keysOf(config, log)
  const websocket = await websocketOf(config)
  const registry = new Registry()
  const timings = config.metrics && new Timings(registry)
  // It registers as soon as it is there, and is let in by then.
  const own = mailboxIdentity === undefined ? [] : [mailboxIdentity.id]
  const relay = await Relay.open({
    identity,
    listen: config.listen,
    knownKeys,
    ...(websocket === undefined ? {} : { websocket }),
    limits: config.limits,
    ...accessOf(config, own),
    fleet: await fleet?.(identity.id),
    ...{ quotas: config.quota, usage, shared },
    stunAlternates: config.stunAlternate,
    ...(config.publicAddress === undefined ? {} : { publicAddresses: config.publicAddress }),
    ...(config.trace ? { trace } : {}),
    onEvent: (event) => {
      const quiet = event.type === 'fleetNode' && event.state !== 'duplicate' && quietNodes.includes(event.node)
      if (!quiet) logEvent(log, event)
      timings?.event(event)
      if (event.type === 'banned') onBanned?.({ who: event.who, until: event.until, at: event.at })
    },
    onVerified: timings && ((seconds) => timings.verified(seconds)),
    onWarning: (sentence) => log.warn(sentence),
  })
  return { relay, registry, own, mailboxIdentity, certified: websocket?.tls !== undefined }
}

const trace: Trace = (entry) => void process.stderr.write(`${traceLine(entry)}\n`)

export interface Keys {
  readonly identity: Identity
  readonly knownKeys: readonly PublicKey[]
  readonly mailboxIdentity: Identity | undefined
}

/** @throws UsageError when a key file that the configuration names cannot be used. */
export async function keysOf(config: Config, log: Logger): Promise<Keys> {
  const identity = await identityAt(config.identity, config, config.createIdentity, log)
  const mailboxIdentity = config.mailbox ? await identityAt(`${config.identity}.mailbox`, config, true, log) : undefined
  try {
    return { identity, mailboxIdentity, knownKeys: await Promise.all(config.peerKey.map(loadPublicKey)) }
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

/** What only a relay with a mailbox needs is loaded for it alone. */
export async function openBeside(
  { relay, mailboxIdentity }: OpenedRelay,
  log: Logger,
  sourceOf: ServeOptions['sourceOf'] = (id) => relay.sourceOf(id),
): Promise<Mailbox | undefined> {
  if (mailboxIdentity === undefined) return undefined
  const { openMailbox } = await import('./mailbox.ts')
  return openMailbox(relay, mailboxIdentity, sourceOf, log)
}

/** Takes what may change of the configuration. One that is wrong changes nothing. @returns whether it was taken */
export async function takeConfig(
  { relay, own, certified }: OpenedRelay,
  again: () => Promise<Config>,
  log: Logger,
): Promise<boolean> {
  try {
    const config = await again()
    const tls = await certificateOf(config)
    const kept = relay.reload({ ...accessOf(config, own), quotas: config.quota, limits: config.limits, tls })
    log.level = config.logLevel
    log.info({ access: config.access }, 'configuration read again')
    if (kept.length > 0) log.warn({ limits: kept }, 'sizes of tables stay as they are until the relay starts again')
    if (certified && tls === undefined) log.warn('the certificate for WebSocket stays until the relay starts again')
    return true
  } catch (error) {
    log.error(`the configuration was not taken: ${printable((error as Error).message)}`)
    return false
  }
}
