/** The files that are shipped for operators: a unit, an image, a compose file, a configuration. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { needs, needsTool } from '@showchain-tooling/vitest/needs'
import { Folder } from '@showchain-tooling/vitest/programs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Config } from '../src/config.ts'
import { program } from '../src/program.ts'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const shipped = (name: string): string => join(packageFolder, 'ops', name)
const textOf = (name: string): string => readFileSync(shipped(name), 'utf8')

/** Of Debian's packages. */
const [SYSTEMD_ANALYZE, BUILDAH] = ['systemd-analyze', 'buildah']
/** From 0 to 10; systemd calls up to 2 "OK". */
const MOST_EXPOSURE = 2

/** What the program would run with. */
async function configured(args: readonly string[]): Promise<Config> {
  let config: Config | undefined
  await program(async (checked) => {
    config = checked
  }).parseAsync([...args], { from: 'user' })
  return config as Config
}

test('the unit is one that systemd takes, and exposes little', needsTool(SYSTEMD_ANALYZE, 'systemd'), () => {
  const unit = shipped('showchain-relay.service')
  const verified = spawnSync(SYSTEMD_ANALYZE, ['verify', unit], { encoding: 'utf8' })
  expect([verified.status, verified.stdout, verified.stderr]).toEqual([0, '', ''])
  const security = spawnSync(SYSTEMD_ANALYZE, ['security', '--offline=yes', unit], { encoding: 'utf8' })
  const [, exposure] = /exposure level for [^:]*: ([\d.]+)/.exec(security.stdout) ?? []
  expect(Number(exposure)).toBeLessThanOrEqual(MOST_EXPOSURE)
})

test('the unit and the configuration have options that the program knows', async () => {
  const [, line = ''] =
    /^ExecStart=\/usr\/bin\/env showchain-relay (.*)$/m.exec(textOf('showchain-relay.service')) ?? []
  const args = line
    .replace('/etc/showchain/relay.yaml', shipped('relay.yaml'))
    .replace(/\$\{STATE_DIRECTORY\}/, '/state')
    .split(' ')
  const config = await configured(args)
  expect(config).toMatchObject({ identity: '/state/relay.pem', createIdentity: true, mailbox: true })
  expect(config.metrics?.host).toBe('127.0.0.1')
  // It has time to drain.
  const [, stop] = /^TimeoutStopSec=(\d+)$/m.exec(textOf('showchain-relay.service')) ?? []
  expect(Number(stop)).toBeGreaterThan(config.drainSeconds)
})

interface Service {
  readonly command: readonly string[]
  readonly volumes?: readonly string[]
  readonly stop_grace_period?: string
}

test('the compose file has a relay with options that the program knows, a Prometheus and a NATS server', async () => {
  const { services } = parse(textOf('compose.yaml')) as { readonly services: Readonly<Record<string, Service>> }
  expect(Object.keys(services)).toEqual(['relay', 'prometheus', 'nats'])
  const command = services.relay?.command.map((word) =>
    word.replace(/^\$\{PUBLIC_ADDRESS.*\}$/, 'relay.example.org:4400'),
  )
  const config = await configured(['--identity', 'relay.pem', ...(command ?? [])])
  const { scrape_configs } = parse(textOf('prometheus.yaml')) as {
    readonly scrape_configs: readonly { readonly static_configs: readonly { readonly targets: readonly string[] }[] }[]
  }
  expect(scrape_configs[0]?.static_configs[0]?.targets).toEqual([`${config.metrics?.host}:${config.metrics?.port}`])
  expect(Number.parseInt(services.relay?.stop_grace_period ?? '', 10)).toBeGreaterThan(config.drainSeconds)
  for (const [, file] of (services.prometheus?.volumes ?? []).join('\n').matchAll(/^\.\/([\w.]+):/gm))
    expect(existsSync(shipped(file ?? '')), file).toBe(true)
})

test('no file names a registry of images', () => {
  for (const name of ['Containerfile', 'compose.yaml'])
    expect(textOf(name).match(/\b[\w-]+\.(io|com|org|dev|net)\/[\w/-]+/g) ?? [], name).toEqual([])
})

/** Node and the libraries that it is linked with, for an image that has nothing else. */
function stageNode(folder: string): void {
  const node = realpathSync(process.execPath)
  const libraries = execFileSync('ldd', [node], { encoding: 'utf8' }).match(/\/\S+/g) ?? []
  for (const file of [node, ...libraries]) {
    const to = join(folder, file === node ? '/usr/bin/node' : file)
    mkdirSync(dirname(to), { recursive: true })
    cpSync(realpathSync(file), to)
  }
}

test('the Containerfile makes an image, from scratch and Node, that is a relay of nobody', {
  ...needs(
    needsTool(BUILDAH).skip !== true && process.getuid?.() === 0,
    'no buildah as root (apt-get install buildah)',
  ),
  timeout: 120_000,
  tags: ['long'],
}, () => {
  const folder = new Folder()
  const buildah = (...args: readonly string[]): string => {
    const where = ['--root', folder.file('store'), '--runroot', folder.file('run'), '--storage-driver', 'vfs']
    return execFileSync(BUILDAH, [...where, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  }
  const policy = `--signature-policy=${folder.write('policy.json', '{"default":[{"type":"insecureAcceptAnything"}]}')}`
  stageNode(folder.file('node'))
  const base = buildah('from', 'scratch')
  buildah('copy', '--quiet', base, folder.file('node'), '/')
  buildah('config', '--env', 'PATH=/usr/bin', base)
  buildah('commit', policy, '--quiet', base, 'localhost/node')

  const relay = folder.file('context/node_modules/@showchain/relay')
  for (const part of ['bin', 'dist', 'package.json'])
    cpSync(join(packageFolder, part), join(relay, part), { recursive: true })
  cpSync(shipped('Containerfile'), folder.file('context/Containerfile'))
  const build = ['build', policy, '--pull-never', '--isolation', 'chroot', '--build-arg', 'BASE=localhost/node']
  buildah(...build, '--tag', 'relay', '--file', folder.file('context/Containerfile'), folder.file('context'))

  const container = buildah('from', policy, '--pull-never', 'localhost/relay')
  const { OCIv1 } = JSON.parse(buildah('inspect', container)) as {
    readonly OCIv1: { readonly config: { readonly Entrypoint: readonly string[]; readonly User: string } }
  }
  expect(OCIv1.config.User).toBe('65532:65532')
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as { version: string }
  const [node, bin] = OCIv1.config.Entrypoint as [string, string]
  expect(buildah('run', '--isolation', 'chroot', container, '--', node, bin, '--version')).toBe(version)
  folder.remove()
})
