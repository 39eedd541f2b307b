/**
 * The configuration: flags, environment and a file become one checked object. An error names the
 * key and where its value came from.
 */
import { readFile } from 'node:fs/promises'
import { type Quotas, type RelayLimits, relayLimitsSchema } from '@showchain/server'
import { type Address, type PeerId, parseAddress, parseEndpoint, parsePeerId, printable, quote } from '@showchain/wire'
import { MAX_FLEET_NODE } from '@showchain/wire/fleet'
import type { Command } from 'commander'
import { parse as parseYaml } from 'yaml'
import * as z from 'zod'
import { expectation, withGiven } from './expectations.ts'
import { type NatsServer, parseNatsServer } from './nats-url.ts'
import { quotasFrom } from './quota-texts.ts'

/** The default port of a relay; no service is registered for it. */
export const DEFAULT_PORT = 4400

/** In place of the name of a folder: what was used of quotas is kept by the NATS of the fleet. */
export const USAGE_BY_NATS = 'nats'

/** An hour: who waits longer has forgotten that the relay was to end. */
const MAX_DRAIN_SECONDS = 3600

/** More processes than any machine has cores for. */
const MAX_WORKERS = 64

/** The command line, the environment or the configuration is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Text read by one of wire's parsers; its error becomes an issue of zod's. */
const parsed = <Value>(parse: (text: string) => Value) =>
  z.string().transform((text, context) => {
    try {
      return parse(text)
    } catch (error) {
      context.addIssue((error as Error).message)
      return z.NEVER
    }
  })

/** An address to listen on; port 0 lets the system choose. */
export interface Listen {
  readonly host: string
  readonly port: number
}

function parseListen(text: string): Listen {
  const anyPort = /^(.*):0$/.exec(text)
  try {
    const { ip, port } = parseEndpoint(anyPort === null ? text : `${anyPort[1]}:1`)
    return { host: ip, port: anyPort === null ? port : 0 }
  } catch (error) {
    throw new Error(`${quote(text)} is not ip:port, or [ip]:port for IPv6`, { cause: error })
  }
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw new Error(`${quote(text)} is not an http URL`)
  return url
}

/** A list, or a text with commas between its items. */
const list = <Item extends z.ZodType>(item: Item) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value),
    z.array(item),
  )
function quotasOf(texts: readonly string[], context: z.RefinementCtx): Quotas {
  try {
    return quotasFrom(texts)
  } catch (error) {
    context.addIssue((error as Error).message)
    return z.NEVER
  }
}

const flag = z.preprocess(
  (value) => (value === 'true' || value === '1' ? true : value === 'false' || value === '0' ? false : value),
  z.boolean(),
)

const fields = z.strictObject({
  identity: z.string({ error: 'is needed: a key file, as `showchain keygen` makes it' }).min(1),
  createIdentity: flag.default(false),
  passphraseFile: z.string().min(1).optional(),
  listen: list(parsed(parseListen)).default([
    { host: '0.0.0.0', port: DEFAULT_PORT },
    { host: '::', port: DEFAULT_PORT },
  ]),
  publicAddress: list(parsed(parseAddress)).optional(),
  stunAlternate: list(parsed(parseListen)).default([]),
  websocket: parsed(parseListen).optional(),
  websocketCert: z.string().min(1).optional(),
  websocketKey: z.string().min(1).optional(),
  websocketOrigin: list(z.string().min(1)).default([]),
  trustedProxy: list(z.string().min(1)).default([]),
  peerKey: list(z.string().min(1)).default([]),
  mailbox: flag.default(false),
  access: z.enum(['everyone', 'ids', 'token', 'http']).default('everyone'),
  allow: list(parsed(parsePeerId)).default([]),
  accessUrl: parsed(parseUrl).optional(),
  quota: list(z.string()).transform(quotasOf).optional(),
  usage: z.string().min(1).optional(),
  control: z.string().min(1).optional(),
  workers: z.coerce.number().int().min(1).max(MAX_WORKERS).default(1),
  fleet: list(parsed(parseNatsServer))
    .refine((servers) => servers.length > 0, 'names no server')
    .optional(),
  node: z.preprocess(
    (value) => (value === '' ? undefined : value),
    z.coerce.number().int().min(0).max(MAX_FLEET_NODE).optional(),
  ),
  fleetSecret: z.string().min(1).optional(),
  fleetCredentials: z.string().min(1).optional(),
  limits: relayLimitsSchema.default({}),
  metrics: parsed(parseListen).optional(),
  drainSeconds: z.coerce.number().int().min(0).max(MAX_DRAIN_SECONDS).default(30),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),
  logFormat: z.enum(['pretty', 'json']).optional(),
  trace: flag.default(false),
})

/** What means nothing without another option. */
const schema = fields.superRefine((config, context) => {
  const needs = (key: keyof Config, other: keyof Config): void => {
    const given = [config[key] ?? []].flat().length > 0
    if (given && config[other] === undefined)
      context.addIssue({ code: 'custom', path: [key], message: `needs ${other}` })
  }
  needs('websocketCert', 'websocketKey')
  needs('websocketKey', 'websocketCert')
  const lacks = (key: keyof Config, message: string): void => context.addIssue({ code: 'custom', path: [key], message })
  if (config.access === 'ids' && config.allow.length === 0) lacks('allow', 'is needed where access is `ids`')
  if (config.access === 'http' && config.accessUrl === undefined) lacks('accessUrl', 'is needed where access is `http`')
  if (config.access !== 'token') needs('usage', 'quota')
  if (config.usage === USAGE_BY_NATS && config.fleet === undefined) lacks('usage', 'is `nats`, which needs fleet')
  for (const key of ['node', 'fleetSecret'] as const) needs('fleet', key)
  for (const key of ['node', 'fleetSecret', 'fleetCredentials'] as const) needs(key, 'fleet')
  if ((config.node ?? 0) + config.workers - 1 > MAX_FLEET_NODE)
    lacks('node', `is at most ${MAX_FLEET_NODE + 1 - config.workers}: each worker takes a number`)
  for (const key of ['websocketCert', 'websocketOrigin', 'trustedProxy'] as const) needs(key, 'websocket')
})

export interface Config {
  /** Path of the private key. */
  readonly identity: string
  readonly createIdentity: boolean
  readonly passphraseFile?: string | undefined
  readonly listen: readonly Listen[]
  readonly publicAddress?: readonly Address[] | undefined
  /** Further addresses, which answer STUN only. */
  readonly stunAlternate: readonly Listen[]
  /** Where it takes WebSocket connections. */
  readonly websocket?: Listen | undefined
  /** Paths of the certificate chain and its key, PEM. */
  readonly websocketCert?: string | undefined
  readonly websocketKey?: string | undefined
  /** Sites whose pages may connect. */
  readonly websocketOrigin: readonly string[]
  /** Addresses and subnets of proxies before the WebSocket port. */
  readonly trustedProxy: readonly string[]
  /** Paths of public keys. */
  readonly peerKey: readonly string[]
  /** Whether it has a mailbox for short codes. */
  readonly mailbox: boolean
  /** Who may use the relay. */
  readonly access: 'everyone' | 'ids' | 'token' | 'http'
  /** Ids that may, unless everyone may. */
  readonly allow: readonly PeerId[]
  /** Who is asked, with access `http`. */
  readonly accessUrl?: URL | undefined
  /** What peers may send through it. */
  readonly quota?: Quotas | undefined
  /** Folder where what they used is kept; `nats`: by the NATS of the fleet. */
  readonly usage?: string | undefined
  /** Path of the socket for `showchain-relay ctl`. */
  readonly control?: string | undefined
  /** Processes that share its port; 1: it is one. */
  readonly workers: number
  /** NATS servers that join it with the other relays of its fleet. */
  readonly fleet?: readonly NatsServer[] | undefined
  /** Its number in the fleet. */
  readonly node?: number | undefined
  /** Path of the secret that all nodes have. */
  readonly fleetSecret?: string | undefined
  /** Path of a creds file or an nkey seed for NATS. */
  readonly fleetCredentials?: string | undefined
  readonly limits: Partial<RelayLimits>
  readonly metrics?: Listen | undefined
  /** How long a relay that got a signal goes on at most while sessions are open. */
  readonly drainSeconds: number
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent'
  readonly logFormat?: 'pretty' | 'json' | undefined
  readonly trace: boolean
}

/** A value of one place, before it is checked. */
interface Sourced {
  readonly value: unknown
  /** The flag, the environment variable or the file, for error messages. */
  readonly source: string
  /** Of each member, when the value was merged from several places. */
  readonly sources?: ReadonlyMap<string, string>
}

/**
 * The configuration of a parsed command line.
 *
 * @throws UsageError with one line that names every wrong key.
 */
export async function configFrom(command: Command): Promise<Config> {
  const file = command.opts<{ readonly config?: string }>().config
  const sourced = new Map<string, Sourced>()
  for (const [key, given] of [...(file === undefined ? [] : await fromFile(file)), ...fromCommand(command)])
    sourced.set(key, key === 'limits' ? mergedLimits(sourced.get(key), given) : given)
  const given = Object.fromEntries([...sourced].map(([key, { value }]) => [key, value]))
  const result = schema.safeParse(given, { error: expectation })
  if (result.success) return result.data
  const issues = result.error.issues.flatMap((issue) => {
    const unknown = issue.code === 'unrecognized_keys'
    const paths = unknown ? issue.keys.map((key) => [...issue.path, key]) : [issue.path]
    return paths.map((path) => {
      const source = sourceOf(sourced, path)
      const what = unknown ? NO_SUCH_KEY : withGiven(issue.message, given, path)
      return `${path.join('.')}${source === undefined ? '' : ` (${source})`}: ${what}`
    })
  })
  throw new UsageError(printable(issues.join('; ')))
}

const NO_SUCH_KEY = 'no such key; keys are named as the flags are, in camel case (--help shows all)'

/** Limits are overridden one by one; each remembers where it came from. */
function mergedLimits(before: Sourced | undefined, { value, source }: Sourced): Sourced {
  if (!isObject(value) || (before !== undefined && !isObject(before.value))) return { value, source }
  const named = Object.keys(value).map((name): [string, string] => [name, source])
  return {
    value: { ...(before?.value ?? {}), ...value },
    source,
    sources: new Map([...(before?.sources ?? []), ...named]),
  }
}

function sourceOf(sourced: ReadonlyMap<string, Sourced>, [key, name]: readonly PropertyKey[]): string | undefined {
  const given = sourced.get(String(key))
  return given?.sources?.get(String(name)) ?? given?.source
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

async function fromFile(path: string): Promise<[string, Sourced][]> {
  let content: unknown
  try {
    // YAML is a superset of JSON.
    content = parseYaml(await readFile(path, 'utf8'))
  } catch (error) {
    const [reason] = (error as Error).message.split('\n')
    throw new UsageError(`config (${path}): ${printable(reason ?? '')}`)
  }
  if (!isObject(content)) throw new UsageError(`config (${path}): not a JSON or YAML object`)
  return Object.entries(content).map(([key, value]) => [key, { value, source: path }])
}

/** What the environment and the flags give, in the order of precedence: a later one overrides. */
function fromCommand(command: Command): [string, Sourced][] {
  return command.options.flatMap((option) => {
    const { envVar, long } = option
    const name = option.attributeName()
    if (envVar === undefined || long == null || name === 'config') return []
    // As text: the schema splits lists and reads booleans, and names the variable when it is wrong.
    const places = [
      { value: process.env[envVar], source: envVar },
      { value: command.getOptionValueSource(name) === 'cli' ? command.getOptionValue(name) : undefined, source: long },
    ]
    return places.flatMap(({ value, source }): [string, Sourced][] => {
      if (value === undefined) return []
      return [name === 'limit' ? ['limits', { value: limitsFrom(value, source), source }] : [name, { value, source }]]
    })
  })
}

/** @param given `name=value` each: a list of them, or a text with commas between. */
function limitsFrom(given: string | readonly string[], source: string): Record<string, number> {
  const texts = typeof given === 'string' ? given.split(',') : given
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, value] = /^\s*([A-Za-z]+)=([0-9]+)\s*$/.exec(text) ?? []
      if (name === undefined) throw new UsageError(`limits (${source}): ${quote(text)} is not name=value`)
      return [name, Number(value)]
    }),
  )
}
