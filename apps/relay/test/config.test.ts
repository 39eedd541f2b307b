import { readFileSync } from 'node:fs'
import { Folder } from '@showchain-tooling/vitest/programs'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Config, UsageError } from '../src/config.ts'
import { program } from '../src/program.ts'

let folder: Folder
beforeAll(() => {
  folder = new Folder()
})
afterAll(() => folder.remove())

afterEach(() => {
  vi.unstubAllEnvs()
})

/** The configuration that a command line gives in an environment. */
async function configOf(args: readonly string[], environment: Record<string, string> = {}): Promise<Config> {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  const made: Config[] = []
  await program(async (config) => void made.push(config)).parseAsync(args, { from: 'user' })
  return made[0] as Config
}

/** The message of the error that a wrong configuration throws. */
async function complaint(args: readonly string[], environment?: Record<string, string>): Promise<string> {
  const error: unknown = await configOf(args, environment).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(UsageError)
  return (error as Error).message
}

test('ids that begin with a hyphen are values like others', async () => {
  const [one, other] = [`-V${'A'.repeat(41)}`, `--${'A'.repeat(41)}`]
  const { allow } = await configOf(['--identity', 'relay.pem', '--access', 'ids', '--allow', one, other])
  expect(allow).toEqual([one, other])
})

describe('WebSocket', () => {
  const BASE = ['--identity', 'relay.pem']
  test('has an address, and lists of sites and proxies', async () => {
    const config = await configOf([...BASE, '--websocket', '127.0.0.1:0', '--trusted-proxy', '10.0.0.0/8', '::1'], {
      SHOWCHAIN_RELAY_WEBSOCKET_ORIGIN: 'https://example.org, https://example.net',
    })
    expect(config).toMatchObject({
      websocket: { host: '127.0.0.1', port: 0 },
      trustedProxy: ['10.0.0.0/8', '::1'],
      websocketOrigin: ['https://example.org', 'https://example.net'],
    })
  })

  test('has a certificate with its key, and nothing without an address', async () => {
    const at = [...BASE, '--websocket', '127.0.0.1:0']
    expect(await complaint([...at, '--websocket-cert', 'a.pem'])).toBe(
      'websocketCert (--websocket-cert): needs websocketKey',
    )
    expect(await complaint([...at, '--websocket-key', 'a.pem'])).toContain('needs websocketCert')
    expect(await complaint([...BASE, '--trusted-proxy', '::1'])).toContain('needs websocket')
    expect(await complaint([...BASE, '--websocket-origin', '*'])).toContain('needs websocket')
  })
})

describe('a fleet', () => {
  const BASE = ['--identity', 'relay.pem']
  test('has servers, a number and a secret', async () => {
    const config = await configOf([...BASE, '--node', '3', '--fleet-secret', 'fleet.secret'], {
      SHOWCHAIN_RELAY_FLEET: 'nats://a%40b:p%20w@10.0.0.1:4223, tls://[2001:db8::1]',
    })
    expect(config).toMatchObject({
      fleet: [
        { at: '10.0.0.1:4223', tls: false, user: 'a@b', password: 'p w' },
        { at: '[2001:db8::1]:4222', tls: true, user: undefined, password: undefined },
      ],
      node: 3,
      fleetSecret: 'fleet.secret',
    })
  })

  test('is not half a fleet', async () => {
    expect(await complaint([...BASE, '--fleet', 'nats://10.0.0.1'])).toBe(
      'fleet (--fleet): needs node; fleet (--fleet): needs fleetSecret',
    )
    for (const [key, flag] of [
      ['node', '--node'],
      ['fleetSecret', '--fleet-secret'],
      ['fleetCredentials', '--fleet-credentials'],
    ] as const)
      expect(await complaint([...BASE, flag, '0'])).toBe(`${key} (${flag}): needs fleet`)
  })

  test('has no number that is none, and a wrong server is named without its password', async () => {
    const at = [...BASE, '--fleet', 'nats://10.0.0.1', '--fleet-secret', 'x']
    for (const node of ['65535', '-1', '1.5', 'one'])
      expect(await complaint([...at, `--node=${node}`])).toMatch(/^node /)
    expect(await complaint(at, { SHOWCHAIN_RELAY_NODE: '' })).toBe('fleet (--fleet): needs node')
    for (const server of [
      'http://u:hush@10.0.0.1',
      'nats://u:hush@10.0.0.1/x',
      'nats://u:hush%ff@10.0.0.1',
      'u:hush@h',
    ]) {
      const said = await complaint([...BASE, '--fleet', server, '--node', '1', '--fleet-secret', 'x'])
      expect(said).toMatch(/^fleet\.0 \(--fleet\): (is not nats|has a user)/)
      expect(said).not.toContain('hush')
    }
  })
})

describe('the configuration', () => {
  test('has defaults for everything but the identity', async () => {
    const config = await configOf(['--identity', 'relay.pem'])
    expect(config.listen).toEqual([
      { host: '0.0.0.0', port: 4400 },
      { host: '::', port: 4400 },
    ])
    expect(config).toMatchObject({ createIdentity: false, limits: {}, peerKey: [], logLevel: 'info', trace: false })
  })

  test('takes flags before the environment before the file', async () => {
    const file = folder.write('relay.yaml', 'identity: file.pem\nlogLevel: error\nlisten: ["127.0.0.1:1"]\n')
    const environment = { SHOWCHAIN_RELAY_IDENTITY: 'environment.pem', SHOWCHAIN_RELAY_LOG_LEVEL: 'warn' }
    const config = await configOf(['--config', file, '--identity', 'flag.pem'], environment)
    expect(config).toMatchObject({ identity: 'flag.pem', logLevel: 'warn', listen: [{ host: '127.0.0.1', port: 1 }] })
  })

  test('reads JSON as well as YAML, and limits from each place', async () => {
    const file = folder.write('relay.json', JSON.stringify({ identity: 'a', limits: { bindings: 7 } }))
    expect((await configOf(['--config', file])).limits).toEqual({ bindings: 7 })
    expect((await configOf(['--config', file, '--limit', 'bindings=8', 'sessions=9'])).limits).toEqual({
      bindings: 8,
      sessions: 9,
    })
    expect((await configOf(['--config', file], { SHOWCHAIN_RELAY_LIMITS: 'ids=5' })).limits).toEqual({
      bindings: 7,
      ids: 5,
    })
  })

  test('overrides limits one by one, and knows where each came from', async () => {
    const file = folder.write('limits.yaml', 'identity: a\nlimits: { bindings: 7, sessions: 0, ids: 5 }\n')
    const environment = { SHOWCHAIN_RELAY_LIMITS: 'bindings=8,ids=6' }
    const text = await complaint(['--config', file, '--limit', 'ids=0'], environment)
    expect(text).toContain(`limits.sessions (${file}):`)
    expect(text).toContain('limits.ids (--limit):')
    const { limits } = await configOf(['--config', file, '--limit', 'sessions=9'], environment)
    expect(limits).toEqual({ bindings: 8, sessions: 9, ids: 6 })
  })

  test("takes the README's example", async () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    const yaml = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
    const config = await configOf(['--config', folder.write('readme.yaml', yaml)])
    expect(config).toMatchObject({ limits: { bindings: 100_000 }, metrics: { host: '127.0.0.1', port: 9464 } })
  })

  test('reads quotas with their units, from each place', async () => {
    const quota = {
      id: { day: 5e9, month: 1.5e12 },
      total: { day: 2000 },
      bytesPerSecond: 20e6,
      atCap: 'refuse',
    }
    const texts = ['idDay=5G', 'idMonth=1.5T', 'totalDay=2k', 'rate=20M', 'atCap=refuse']
    expect(await configOf(['--identity', 'a', '--quota', ...texts])).toMatchObject({ quota })
    const environment = { SHOWCHAIN_RELAY_QUOTA: texts.join(',') }
    expect(await configOf(['--identity', 'a'], environment)).toMatchObject({ quota })
    const file = folder.write('quota.yaml', `identity: a\nquota: [${texts.join(', ')}]\n`)
    expect(await configOf(['--config', file])).toMatchObject({ quota })
  })

  test('takes repeated flags as lists', async () => {
    const args = ['--identity', 'a', '--peer-key', 'one,two.pem', '--peer-key', 'three.pem', '--trace']
    expect(await configOf(args)).toMatchObject({ peerKey: ['one,two.pem', 'three.pem'], trace: true })
  })

  test.each([
    ['1', true],
    ['true', true],
    ['0', false],
    ['false', false],
  ])('reads SHOWCHAIN_RELAY_CREATE_IDENTITY=%s as %s', async (text, expected) => {
    const { createIdentity } = await configOf(['--identity', 'a'], { SHOWCHAIN_RELAY_CREATE_IDENTITY: text })
    expect(createIdentity).toBe(expected)
  })

  test('reads the name of the file from the environment', async () => {
    const file = folder.write('named.yaml', 'identity: file.pem\n')
    expect(await configOf([], { SHOWCHAIN_RELAY_CONFIG: file })).toMatchObject({ identity: 'file.pem' })
  })

  test('splits lists of the environment at commas', async () => {
    const environment = {
      SHOWCHAIN_RELAY_LISTEN: '127.0.0.1:0, [::1]:0',
      SHOWCHAIN_RELAY_PUBLIC_ADDRESS: 'relay.example.org:4400',
    }
    const config = await configOf(['--identity', 'a'], environment)
    expect(config.listen).toEqual([
      { host: '127.0.0.1', port: 0 },
      { host: '::1', port: 0 },
    ])
    expect(config.publicAddress).toEqual([{ host: 'relay.example.org', port: 4400 }])
  })

  test.each([
    [['--identity', 'a', '--listen', 'nonsense'], 'listen.0 (--listen)'],
    [['--identity', 'a', '--listen', 'localhost:0'], '"localhost:0" is not ip:port'],
    [['--identity', 'a', '--public-address', 'x'], 'publicAddress.0 (--public-address)'],
    [
      ['--identity', 'a', '--log-level', 'loud'],
      'logLevel (--log-level): expected one of fatal, error, warn, info, debug, silent, not "loud"',
    ],
    [['--identity', 'a', '--workers', 'many'], 'workers (--workers): expected a number, not "many"'],
    [['--identity', 'a', '--workers', '1.5'], 'workers (--workers): expected a whole number, not "1.5"'],
    [['--identity', 'a', '--workers', '900'], 'workers (--workers): expected 64 or less, not "900"'],
    [['--identity', 'a', '--usage', ''], 'usage (--usage): expected a text that is not empty, not ""'],
    [['--identity', 'a', '--limit', 'bindings'], 'limits (--limit)'],
    [['--identity', 'a', '--limit', 'bindings=0'], 'limits.bindings (--limit): expected 1 or more, not 0'],
    [['--identity', 'a', '--limit', 'binding=1'], 'limits.binding (--limit): no such key'],
    [['--identity', 'a', '--metrics', 'here'], 'metrics (--metrics)'],
    [['--identity', 'a', '--quota', 'idDay=much'], 'quota (--quota): "much" is not a size'],
    [['--identity', 'a', '--quota', 'idWeek=5G'], 'quota (--quota): "idWeek=5G" is none of idDay'],
    [['--identity', 'a', '--quota', 'atCap=stop'], 'quota (--quota)'],
    [['--identity', 'a', '--usage', 'folder'], 'usage (--usage): needs quota'],
    [['--identity', 'a', '--access', 'friends'], 'access (--access)'],
    [['--identity', 'a', '--access', 'ids'], 'allow: is needed'],
    [['--identity', 'a', '--access', 'ids', '--allow', 'me'], 'allow.0 (--allow): Not a peer id'],
    [['--identity', 'a', '--access', 'http'], 'accessUrl: is needed'],
    [['--identity', 'a', '--access-url', 'ftp://127.0.0.1/'], 'accessUrl (--access-url)'],
    [[], 'identity: is needed'],
  ])('names the key and the flag that are wrong: %j', async (args, expected) => {
    expect(await complaint(args)).toContain(expected)
  })

  test('names the variable or the file that is wrong, and every wrong key at once', async () => {
    const file = folder.write('bad.yaml', 'identity: a\nlisten: [1]\ncolour: red\n')
    const text = await complaint(['--config', file], { SHOWCHAIN_RELAY_TRACE: 'perhaps' })
    expect(text).toContain('trace (SHOWCHAIN_RELAY_TRACE): expected true or false, not "perhaps"')
    expect(text).toContain(`listen.0 (${file}): expected a text, not 1`)
    expect(text).toContain(`colour (${file}): no such key; keys are named as the flags are`)
  })

  test('says in one line what is wrong with a file that is no configuration', async () => {
    expect(await complaint(['--config', folder.file('absent.yaml')])).toMatch(
      /^config \(.*absent\.yaml\): ENOENT[^\n]*$/,
    )
    expect(await complaint(['--config', folder.write('list.yaml', '- a\n')])).toContain('not a JSON or YAML object')
    expect(await complaint(['--config', folder.write('broken.yaml', 'a: [1\n')])).toMatch(/^config \([^\n]+$/)
  })
})
