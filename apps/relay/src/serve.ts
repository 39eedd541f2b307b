/** Runs a relay until a signal: opens it, prints its ticket, logs its events, drains it. */
import { formatTicket, parseTicket } from '@showchain/wire'
import { closingAll, type Defer } from './closing-all.ts'
import type { Config } from './config.ts'
import { openControl } from './control.ts'
import { endSignal } from './end-signal.ts'
import { logOpenSessions, watchLimits } from './event-log.ts'
import { fleetOf } from './fleet.ts'
import { logger } from './log.ts'
import { openBeside, openRelay, takeConfig } from './opened-relay.ts'
import { serveRelay } from './operator-port.ts'
import { keepBans, usageOf } from './usage.ts'
import { version } from './version.ts'

/** @param again reads the configuration once more, on SIGHUP */
export async function serve(config: Config, again: () => Promise<Config>): Promise<void> {
  // Only who wants several processes loads what joins them.
  if (config.workers > 1) return (await import('./workers/primary.ts')).serveTogether(config, again)
  await closingAll((defer) => serveAlone(config, again, defer))
}

async function serveAlone(config: Config, again: () => Promise<Config>, defer: Defer): Promise<void> {
  // Before the ticket is printed: the process that reads it may send the signal at once.
  const ended = endSignal()
  const log = logger(config)
  const usage = await usageOf(config, log)
  defer(() => usage?.store.close())
  const opened = await openRelay(config, {
    ...{ log, usage: usage?.store, fleet: (id) => fleetOf(config, id, log) },
    onBanned: () => keepBans(usage?.bans, log),
  })
  const { relay, registry } = opened
  defer(() => relay.close())
  await usage?.bans.join(relay)
  usage?.elsewhere?.listen((used) => relay.usedElsewhere(used))
  const mailbox = await openBeside(opened, log)
  defer(() => mailbox?.close())
  const operators = config.metrics && (await serveRelay({ relay, mailbox, version }, registry, config.metrics, log))
  defer(() => operators?.close())
  defer(watchLimits(relay, log))
  let drain: () => void = () => {}
  const told = new Promise<string>((resolve) => {
    drain = () => resolve('ctl')
  })
  const controlled = { relay, bans: usage?.bans, drain, log }
  const control = config.control === undefined ? undefined : await openControl(config.control, controlled)
  defer(() => control?.close())
  const reload = (): void => void takeConfig(opened, again, log)
  process.on('SIGHUP', reload)
  defer(() => process.off('SIGHUP', reload))
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
  await relay.close()
  logOpenSessions(log, relay)
  if (mailbox !== undefined) log.info(mailbox.counters(), 'mailbox ended')
  log.info(relay.counters(), 'ended')
}
