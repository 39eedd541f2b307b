/**
 * The configuration: flags, environment and a file become one checked object. What is wrong is named
 * by its key and where it came from.
 */
import { readFile } from 'node:fs/promises'
import { type RelayLimits, relayLimitsSchema } from '@showchain/server'
import { type Address, parseAddress, parseEndpoint, ShowchainError } from '@showchain/wire'
import { parse as parseYaml } from 'yaml'
import * as z from 'zod'

/** Where a relay listens unless told otherwise; no registered service has it. */
export const DEFAULT_PORT = 4400

/** The command line, the environment or the configuration is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** What commander hands over. */
export interface Flags {
  readonly config?: string
  readonly limit?: readonly string[]
  readonly [name: string]: unknown
}

/** Text by one of wire's parsers, its error as zod's. */
const parsed = <Value>(parse: (text: string) => Value) =>
  z.string().transform((text, context) => {
    try {
      return parse(text)
    } catch (error) {
      context.addIssue((error as Error).message)
      return z.NEVER
    }
  })

/** Where to listen; port 0 is any. */
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
    throw new Error(`"${text}" is not ip:port, or [ip]:port for IPv6`, { cause: error })
  }
}

/** One value, or a list of them, or a text with commas between them. */
const list = <Item extends z.ZodType>(item: Item) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value),
    z.array(item),
  )
const flag = z.preprocess(
  (value) => (value === 'true' || value === '1' ? true : value === 'false' || value === '0' ? false : value),
  z.boolean(),
)

const schema = z.strictObject({
  identity: z.string({ error: 'is needed: a key file, as `showchain keygen` makes it' }).min(1),
  createIdentity: flag.default(false),
  passphraseFile: z.string().min(1).optional(),
  listen: list(parsed(parseListen)).default([
    { host: '0.0.0.0', port: DEFAULT_PORT },
    { host: '::', port: DEFAULT_PORT },
  ]),
  publicAddress: list(parsed(parseAddress)).optional(),
  stunAlternate: list(parsed(parseListen)).default([]),
  peerKey: list(z.string().min(1)).default([]),
  limits: relayLimitsSchema.default({}),
  metrics: parsed(parseListen).optional(),
  logLevel: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),
  logFormat: z.enum(['pretty', 'json']).optional(),
  trace: flag.default(false),
})

export interface Config {
  /** Path of the private key. */
  readonly identity: string
  readonly createIdentity: boolean
  readonly passphraseFile?: string | undefined
  readonly listen: readonly Listen[]
  readonly publicAddress?: readonly Address[] | undefined
  /** Where it answers STUN beside. */
  readonly stunAlternate: readonly Listen[]
  /** Paths of public keys. */
  readonly peerKey: readonly string[]
  readonly limits: Partial<RelayLimits>
  readonly metrics?: Listen | undefined
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent'
  readonly logFormat?: 'pretty' | 'json' | undefined
  readonly trace: boolean
}

const KEYS = Object.keys(schema.shape)
const ENVIRONMENT_PREFIX = 'SHOWCHAIN_RELAY_'

interface Sourced {
  readonly value: unknown
  /** For people. */
  readonly source: string
  /** Of each name, when the value has been put together from several places. */
  readonly sources?: ReadonlyMap<string, string>
}

/** @throws UsageError with one line that names every wrong key. */
export async function configFrom(flags: Flags, environment: NodeJS.ProcessEnv): Promise<Config> {
  const file = flags.config ?? environment[`${ENVIRONMENT_PREFIX}CONFIG`]
  const sourced = new Map<string, Sourced>()
  const places = [file === undefined ? [] : await fromFile(file), fromEnvironment(environment), fromFlags(flags)]
  for (const [key, given] of places.flat())
    sourced.set(key, key === 'limits' ? bothLimits(sourced.get(key), given) : given)
  const result = schema.safeParse(Object.fromEntries([...sourced].map(([key, { value }]) => [key, value])))
  if (result.success) return result.data
  const issues = result.error.issues.flatMap((issue) => {
    const unknown = issue.code === 'unrecognized_keys'
    const paths = unknown ? issue.keys.map((key) => [...issue.path, key]) : [issue.path]
    return paths.map((path) => {
      const source = sourceOf(sourced, path)
      return `${path.join('.')}${source === undefined ? '' : ` (${source})`}: ${unknown ? 'no such key' : issue.message}`
    })
  })
  throw new UsageError(issues.join('; '))
}

/** Limits are overridden one by one; each remembers where it came from. */
function bothLimits(before: Sourced | undefined, { value, source }: Sourced): Sourced {
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
    throw new UsageError(`config (${path}): ${reason}`)
  }
  if (!isObject(content)) throw new UsageError(`config (${path}): not a JSON or YAML object`)
  return Object.entries(content).map(([key, value]) => [key, { value, source: path }])
}

const environmentName = (key: string): string =>
  `${ENVIRONMENT_PREFIX}${key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`

function fromEnvironment(environment: NodeJS.ProcessEnv): [string, Sourced][] {
  return KEYS.flatMap((key): [string, Sourced][] => {
    const name = environmentName(key)
    const value = environment[name]
    if (value === undefined) return []
    return [[key, { value: key === 'limits' ? limitsFrom(value.split(','), name) : value, source: name }]]
  })
}

function fromFlags({ config: _config, limit, ...flags }: Flags): [string, Sourced][] {
  const dashed = (key: string): string => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  const given = Object.entries(flags).map(([key, value]): [string, Sourced] => [key, { value, source: dashed(key) }])
  if (limit === undefined) return given
  return [...given, ['limits', { value: limitsFrom(limit, '--limit'), source: '--limit' }]]
}

/** `name=value` each. */
function limitsFrom(texts: readonly string[], source: string): Record<string, number> {
  return Object.fromEntries(
    texts.map((text) => {
      const [, name, value] = /^\s*([A-Za-z]+)=([0-9]+)\s*$/.exec(text) ?? []
      if (name === undefined) throw new UsageError(`limits (${source}): "${text}" is not name=value`)
      return [name, Number(value)]
    }),
  )
}

/** The passphrase of the identity, without the line end that editors add. @throws UsageError */
export async function passphraseOf(
  { passphraseFile }: Config,
  environment: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  if (passphraseFile === undefined) return environment.SHOWCHAIN_PASSPHRASE
  try {
    return (await readFile(passphraseFile, 'utf8')).replace(/\r?\n$/, '')
  } catch (error) {
    throw new UsageError(`passphraseFile: ${(error as Error).message}`)
  }
}

/** Whether a file is not there, as opposed to not readable. */
export const isMissing = (error: unknown): boolean =>
  error instanceof ShowchainError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT'
