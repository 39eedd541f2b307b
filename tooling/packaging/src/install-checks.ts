/** Checks that install a tarball into a user's project and use it there. */
import { mkdir, readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { BUDGETS, bundledSize } from './bundle.ts'
import type { Subject, Verdict } from './check.ts'
import { commandsOf } from './commands.ts'
import { compile, compileAndRun } from './examples.ts'
import { codeBlocks } from './markdown.ts'
import type { PackedRelease } from './packed.ts'
import { play, type Scripts } from './programs.ts'
import { node } from './shell.ts'
import { find, type PublicPackage, withDependencies } from './workspace.ts'

const NOBLE = ['@noble/ciphers', '@noble/curves', '@noble/hashes']
/** A relay by WebSocket, and the proxy on the way to it. */
const WEBSOCKET = ['agent-base', 'debug', 'https-proxy-agent', 'ms', 'proxy-from-env', 'ws']
/** The codec of LAN discovery. */
const MDNS = ['@leichtgewicht/ip-codec', 'dns-packet']
const OF_CLIENT = [...NOBLE, ...WEBSOCKET, ...MDNS, 'ipaddr.js', 'node-forge', 'zod']
/** The third-party packages that each library may bring along. A program has them in its bundle. */
const THIRD_PARTY: Readonly<Record<string, readonly string[]>> = {
  '@showchain/wire': ['zod'],
  '@showchain/crypto': [...NOBLE, 'node-forge', 'zod'],
  '@showchain/client': OF_CLIENT,
  '@showchain/server': OF_CLIENT,
  '@showchain/files': OF_CLIENT,
  '@showchain/mailbox': [...OF_CLIENT, '@scure/bip39'],
  '@showchain/tunnel': OF_CLIENT,
  '@showchain/testkit': OF_CLIENT,
}

const [RELAY, PEER_CLI] = ['@showchain/relay', '@showchain/peer-cli']

/** Problems of each item, those that a rejection tells. */
async function each<Item>(items: Iterable<Item>, use: (item: Item) => Promise<unknown>): Promise<readonly string[]> {
  const problems: string[] = []
  for (const item of items) await use(item).catch((error: Error) => problems.push(error.message))
  return problems
}

export async function dependencies({ entry, release }: Subject): Promise<Verdict> {
  const { packages } = await release.project(entry.name)
  const ours = withDependencies(release.workspace, entry).map(({ name }) => name)
  const foreign = packages.filter(({ name }) => !ours.includes(name))
  const allowed = THIRD_PARTY[entry.name] ?? []
  const wrong = foreign.filter(({ name, optional }) => !optional && !allowed.includes(name))
  const elsewhere = packages.filter(({ name, resolved }) => ours.includes(name) && !resolved.startsWith('file:'))
  return {
    problems: [
      ...wrong.map(({ name }) => `it brings along ${name}`),
      ...elsewhere.map(({ name, resolved }) => `${name} came from ${resolved}`),
    ],
    figure: `+ ${foreign.length}`,
  }
}

/** What programs import from a package, as `@showchain/client/core`. */
const entryPointsOf = ({ name, manifest }: PublicPackage): readonly string[] =>
  Object.keys(manifest.exports)
    .filter((path) => !path.endsWith('.json'))
    .map((path) => posix.join(name, path))

const scriptOf = (project: string, { name, manifest }: PublicPackage, bin: string): string =>
  join(project, 'node_modules', name, manifest.bin?.[bin] ?? '')

export async function loads({ entry, release }: Subject): Promise<Verdict> {
  const { folder: cwd } = await release.project(entry.name)
  const unloaded = await each(entryPointsOf(entry), (path) =>
    node(['--input-type=module', '-e', `await import('${path}')`], { cwd }),
  )
  const silent = await each(Object.keys(entry.manifest.bin ?? {}), async (bin) => {
    const { stdout } = await node([scriptOf(cwd, entry, bin), '--help'], { cwd })
    if (!stdout.includes(`Usage: ${bin}`)) throw new Error(`${bin} --help prints: ${stdout}`)
  })
  return { problems: [...unloaded, ...silent] }
}

/** Of the package and of the libraries that its project has with it. */
export async function floor({ entry, release }: Subject): Promise<Verdict> {
  const { folder } = await release.project(entry.name)
  const libraries = withDependencies(release.workspace, entry)
  const imports = libraries.flatMap(entryPointsOf).map((path, index) => `export * as _${index} from '${path}'`)
  return { problems: await each([[imports.join('\n')]], (sources) => compile(sources, folder, 'floor')) }
}

const repositoryReadme = ({ workspace }: PackedRelease): Promise<string> =>
  readFile(join(workspace.root, 'README.md'), 'utf8')

export async function examples({ entry, release }: Subject): Promise<Verdict> {
  const { folder } = await release.project(entry.name)
  const sources = codeBlocks(release.tarball(entry.name).readme, 'ts')
  const problems = await each([sources], (all) => compileAndRun(all, folder))
  return { problems: sources.length === 0 ? ['README.md has no example'] : problems, figure: `${sources.length} ran` }
}

/** The programs of the repository's README need a relay to run: they are compiled only. */
export async function repositoryPrograms({ entry, release }: Subject): Promise<Verdict> {
  const { folder } = await release.project(entry.name)
  const sources = codeBlocks(await repositoryReadme(release), 'ts')
  const whole = sources.map((source) => `declare const relayTicket: string\n${source}`)
  return { problems: await each([whole], (all) => compile(all, folder, 'current')), figure: 'compiles' }
}

async function playIn(name: string, readme: string, { release }: Subject): Promise<Verdict> {
  const script = async (owner: string, bin: string): Promise<string> =>
    scriptOf((await release.project(owner)).folder, find(release.workspace, owner), bin)
  const scripts: Scripts = {
    showchain: await script(PEER_CLI, 'showchain'),
    'showchain-relay': await script(RELAY, 'showchain-relay'),
  }
  const folder = join(release.folder, 'played', name)
  await mkdir(folder, { recursive: true })
  return { problems: await each([commandsOf(readme)], (all) => play(all, scripts, folder)), figure: 'ran' }
}

/**
 * The commands of its README, and of the other program's README for the roles that it does not
 * mention.
 */
export async function commands(subject: Subject): Promise<Verdict> {
  const { entry, release } = subject
  const readmes = [...new Set([entry.name, RELAY, PEER_CLI])].map((name) => release.tarball(name).readme)
  return await playIn(entry.name, readmes.join('\n'), subject)
}

export const repositoryCommands = async (subject: Subject): Promise<Verdict> =>
  await playIn('repository', await repositoryReadme(subject.release), subject)

const CONFORMANCE = 'showchain-conformance'

/** As its README has it, with our own implementation in place of somebody's. */
export async function conformance({ entry, release }: Subject): Promise<Verdict> {
  const { folder: cwd } = await release.project(entry.name)
  const command = commandsOf(release.tarball(entry.name).readme).find(({ args }) => args.includes(CONFORMANCE))
  if (command === undefined) return { problems: [`README.md has no command ${CONFORMANCE}`] }
  const options = command.args.slice(command.args.indexOf(CONFORMANCE) + 1, command.args.lastIndexOf('--'))
  const script = scriptOf(cwd, entry, CONFORMANCE)
  const run = node([script, ...options, '--', process.execPath, script, '--self'], { cwd })
  return { problems: await each([run], (running) => running), figure: 'ran' }
}

const budgetsOf = ({ name }: PublicPackage): readonly (readonly [string, number])[] =>
  Object.entries(BUDGETS).filter(([path]) => path === name || path.startsWith(`${name}/`))

export const hasBudget = (entry: PublicPackage): boolean => budgetsOf(entry).length > 0

export async function bundles({ entry, release }: Subject): Promise<Verdict> {
  const { folder } = await release.project(entry.name)
  const problems: string[] = []
  const figures: string[] = []
  for (const [entryPoint, budget] of budgetsOf(entry)) {
    const size = await bundledSize(entryPoint, folder)
    figures.push(`${entryPoint.replace(entry.name, '.')}: ${size.toFixed(1)} of ${budget} kB`)
    if (size > budget) problems.push(`${entryPoint} has ${size.toFixed(1)} kB gzipped, more than ${budget}`)
  }
  return { problems, figure: figures.join('\n') }
}
