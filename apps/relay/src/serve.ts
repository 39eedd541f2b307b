/** Runs a relay until a signal: opens it, prints its ticket, logs its events, drains it. */
import type { Mailbox } from '@showchain/mailbox/server'
import type { Relay } from '@showchain/server/runtime'
import { formatTicket, parseTicket } from '@showchain/wire'
import type { Config } from './config.ts'
import { openControl } from './control.ts'
import { endSignal } from './end-signal.ts'
import { logOpenSessions, watchLimits } from './event-log.ts'
import { fleetOf } from './fleet.ts'
import { logger } from './log.ts'
import { openBeside, openRelay, takeConfig } from './opened-relay.ts'
import { serveRelay } from './operator-port.ts'
import { usageOf } from './usage.ts'
import { version } from './version.ts'

/** @param again reads the configuration once more, on SIGHUP */
export async function serve(config: Config, again: () => Promise<Config>): Promise<void> {
  // Only who wants several processes loads what joins them.
  if (config.workers > 1) return (await import('./workers/primary.ts')).serveTogether(config, again)
  // Before the ticket is printed: the process that reads it may send the signal at once.
  const ended = endSignal()
  const log = logger(config)
  const usage = await usageOf(config, log)
  const opened = await openRelay(config, { log, usage: usage?.store, fleet: (id) => fleetOf(config, id, log) })
  const { relay, registry } = opened
  usage?.elsewhere?.listen((used) => relay.usedElsewhere(used))
  const mailbox = await closingOnFailure(relay, openBeside(opened, log))
  const measured = { relay, mailbox, version }
  const operators =
    config.metrics && (await closingOnFailure(relay, serveRelay(measured, registry, config.metrics, log), mailbox))
  const unwatch = watchLimits(relay, log)
  let drain: () => void = () => {}
  const told = new Promise<string>((resolve) => {
    drain = () => resolve('ctl')
  })
  const control =
    config.control === undefined
      ? undefined
      : await closingOnFailure(relay, openControl(config.control, { relay, bans: usage?.bans, drain, log }), mailbox)
  const reload = (): void => void takeConfig(opened, again, log)
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
  await usage?.store.close()
  unwatch()
  await operators?.close()
  logOpenSessions(log, relay)
  if (mailbox !== undefined) log.info(mailbox.counters(), 'mailbox ended')
  log.info(relay.counters(), 'ended')
  process.off('SIGHUP', reload)
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
