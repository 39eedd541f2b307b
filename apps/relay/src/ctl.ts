/** `showchain-relay ctl`: what an operator sees and does of a relay that runs, by its control socket. */
import { request } from 'node:http'
import { rateSource } from '@showchain/client/endpoint'
import type { Ban, BoundPeer } from '@showchain/server/runtime'
import { canonicalIp, formatEndpoint, peerIdSchema, quote } from '@showchain/wire'
import type { Command } from 'commander'
import { UsageError } from './config.ts'
import { IdCommand } from './id-command.ts'

/** Rows that are asked for at a time. */
const PAGE = 500
/** For one answer, in ms. */
const PATIENCE = 10_000
const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

interface Page {
  readonly bindings: readonly BoundPeer[]
  readonly next?: number
}

/** Undefined: it is no JSON; somebody else listens there. */
function parsed<Answer>(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer
  } catch {
    return undefined
  }
}

function ask<Answer>(socketPath: string, command: string, body: object = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void =>
      reject(new UsageError(`ctl: the relay at ${socketPath} does not answer: ${error.message}`, { cause: error }))
    const asked = request(
      { socketPath, path: `/${command}`, method: 'POST', signal: AbortSignal.timeout(PATIENCE) },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => {
          text += chunk
        })
        response.on('end', () => {
          const answer = parsed<Answer & { readonly error?: string }>(text)
          if (answer === undefined) failed(new Error(`${quote(text)} is no answer`))
          else if (answer.error === undefined) resolve(answer)
          else reject(new UsageError(`ctl ${command}: ${answer.error}`))
        })
      },
    )
    asked.on('error', failed)
    asked.end(JSON.stringify(body))
  })
}

/** An id, a permit, or the source that limits know an address by. */
function whoOf(text: string): string {
  const ip = canonicalIp(text)
  return ip === undefined ? text : rateSource(ip)
}

/** What else is banned than ids and IPv4 addresses. */
const NAMED = /^(?:permit:[0-9a-f]+|[0-9a-f:]+\/64)$/

/** A ban of a name that nobody has would be taken, and say nothing. */
function bannedOf(text: string): string {
  const who = whoOf(text)
  if (peerIdSchema.safeParse(who).success || canonicalIp(who) !== undefined || NAMED.test(who)) return who
  throw new UsageError(`ctl ban: ${quote(text)} is not an id, an address or permit:NUMBER`)
}

function untilOf(text: string): number {
  const [, number, unit] = /^([0-9]+)([smhd])$/.exec(text) ?? []
  if (unit === undefined) throw new UsageError(`ctl ban: ${quote(text)} is not a time such as 30m, 12h or 7d`)
  return Date.now() + Number(number) * (UNITS[unit] as number)
}

async function list(path: string): Promise<void> {
  for (let from: number | undefined = 0; from !== undefined; ) {
    const { bindings, next }: Page = await ask<Page>(path, 'list', { from, rows: PAGE })
    for (const { id, at, node } of bindings)
      process.stdout.write(`${id} ${formatEndpoint(at)}${node === undefined ? '' : ` node ${node}`}\n`)
    from = next
  }
}

async function bans(path: string): Promise<void> {
  const answer = await ask<{ readonly bans: readonly Ban[] }>(path, 'bans')
  for (const { who, until } of answer.bans)
    process.stdout.write(until === undefined ? `${who}\n` : `${who} until ${new Date(until).toISOString()}\n`)
}

/** What it did is said by its exit code; that there was nothing to do is said in words. */
async function act(path: string, command: string, body: object, otherwise: string): Promise<void> {
  const { done } = await ask<{ readonly done: boolean }>(path, command, body)
  if (!done) throw new UsageError(`ctl ${command}: ${otherwise}`)
}

export function ctlCommand(): Command {
  const ctl = new IdCommand('ctl')
    .description('See and act on a relay that runs with --control.')
    .showHelpAfterError('(showchain-relay ctl --help shows its commands)')
    .exitOverride()
  const path = (): string => {
    const { control } = ctl.optsWithGlobals<{ readonly control?: string }>()
    if (control === undefined) throw new UsageError('ctl: --control is needed: the socket of the relay')
    return control
  }
  ctl
    .command('list')
    .description('peers that are registered here, one a line')
    .action(() => list(path()))
  ctl
    .command('kick <id>')
    .description('end the registration of a peer, which may come again')
    .action((who: string) => act(path(), 'kick', { who }, 'no such peer is registered'))
  ctl
    .command('ban <who>')
    .description('serve an id, an address (of IPv6 its /64) or permit:NUMBER no more, in all of its fleet')
    .option('--for <time>', 'how long: 30m, 12h, 7d (default: until unban)')
    .action((who: string, options: { readonly for?: string }) => {
      const until = options.for === undefined ? {} : { until: untilOf(options.for) }
      return act(path(), 'ban', { who: bannedOf(who), ...until }, 'there are too many bans')
    })
  ctl
    .command('unban <who>')
    .description('take a ban back')
    .action((who: string) => act(path(), 'unban', { who: whoOf(who) }, 'there is no such ban'))
  ctl
    .command('bans')
    .description('who is served no more, one a line')
    .action(() => bans(path()))
  ctl
    .command('drain')
    .description('let the relay end as by SIGTERM')
    .action(() => act(path(), 'drain', {}, 'it does not drain'))
  return ctl
}
