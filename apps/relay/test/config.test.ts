import { readFileSync } from 'node:fs'
import { Folder } from '@showchain-tooling/vitest/programs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configFrom, UsageError } from '../src/config.ts'

let folder: Folder
beforeAll(() => {
  folder = new Folder()
})
afterAll(() => folder.remove())

/** What is said about a wrong configuration. */
const complaint = async (...args: Parameters<typeof configFrom>): Promise<string> => {
  const error: unknown = await configFrom(...args).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(UsageError)
  return (error as Error).message
}

describe('the configuration', () => {
  test('has defaults for everything but the identity', async () => {
    const config = await configFrom({ identity: 'relay.pem' }, {})
    expect(config.listen).toEqual([
      { host: '0.0.0.0', port: 4400 },
      { host: '::', port: 4400 },
    ])
    expect(config).toMatchObject({ createIdentity: false, limits: {}, peerKey: [], logLevel: 'info', trace: false })
  })

  test('takes flags before the environment before the file', async () => {
    const file = folder.write('relay.yaml', 'identity: file.pem\nlogLevel: error\nlisten: ["127.0.0.1:1"]\n')
    const environment = { SHOWCHAIN_RELAY_IDENTITY: 'environment.pem', SHOWCHAIN_RELAY_LOG_LEVEL: 'warn' }
    const config = await configFrom({ config: file, identity: 'flag.pem' }, environment)
    expect(config).toMatchObject({ identity: 'flag.pem', logLevel: 'warn', listen: [{ host: '127.0.0.1', port: 1 }] })
  })

  test('reads JSON as well as YAML, and limits from each place', async () => {
    const file = folder.write('relay.json', JSON.stringify({ identity: 'a', limits: { bindings: 7 } }))
    expect((await configFrom({ config: file }, {})).limits).toEqual({ bindings: 7 })
    expect((await configFrom({ config: file, limit: ['bindings=8', 'sessions=9'] }, {})).limits).toEqual({
      bindings: 8,
      sessions: 9,
    })
    expect((await configFrom({ config: file }, { SHOWCHAIN_RELAY_LIMITS: 'ids=5' })).limits).toEqual({
      bindings: 7,
      ids: 5,
    })
  })

  test('overrides limits one by one, and knows where each came from', async () => {
    const file = folder.write('limits.yaml', 'identity: a\nlimits: { bindings: 7, sessions: 0, ids: 5 }\n')
    const environment = { SHOWCHAIN_RELAY_LIMITS: 'bindings=8,ids=6' }
    const text = await complaint({ config: file, limit: ['ids=0'] }, environment)
    expect(text).toContain(`limits.sessions (${file}):`)
    expect(text).toContain('limits.ids (--limit):')
    const { limits } = await configFrom({ config: file, limit: ['sessions=9'] }, environment)
    expect(limits).toEqual({ bindings: 8, sessions: 9, ids: 6 })
  })

  test("takes the README's example", async () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    const yaml = /```yaml\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
    const config = await configFrom({ config: folder.write('readme.yaml', yaml) }, {})
    expect(config).toMatchObject({ limits: { bindings: 100_000 }, metrics: { host: '127.0.0.1', port: 9464 } })
  })

  test('splits lists of the environment at commas', async () => {
    const environment = {
      SHOWCHAIN_RELAY_LISTEN: '127.0.0.1:0, [::1]:0',
      SHOWCHAIN_RELAY_PUBLIC_ADDRESS: 'relay.example.org:4400',
    }
    const config = await configFrom({ identity: 'a' }, environment)
    expect(config.listen).toEqual([
      { host: '127.0.0.1', port: 0 },
      { host: '::1', port: 0 },
    ])
    expect(config.publicAddress).toEqual([{ host: 'relay.example.org', port: 4400 }])
  })

  test.each([
    [{ identity: 'a', listen: ['nonsense'] }, 'listen.0 (--listen)'],
    [{ identity: 'a', listen: ['localhost:0'] }, '"localhost:0" is not ip:port'],
    [{ identity: 'a', publicAddress: ['x'] }, 'publicAddress.0 (--public-address)'],
    [{ identity: 'a', logLevel: 'loud' }, 'logLevel (--log-level)'],
    [{ identity: 'a', limit: ['bindings'] }, 'limits (--limit)'],
    [{ identity: 'a', limit: ['bindings=0'] }, 'limits.bindings (--limit)'],
    [{ identity: 'a', limit: ['binding=1'] }, 'limits.binding (--limit): no such key'],
    [{ identity: 'a', metrics: 'here' }, 'metrics (--metrics)'],
    [{}, 'identity: is needed'],
  ])('names the key and the flag that are wrong: %j', async (flags, expected) => {
    expect(await complaint(flags, {})).toContain(expected)
  })

  test('names the variable or the file that is wrong, and every wrong key at once', async () => {
    const file = folder.write('bad.yaml', 'identity: a\nlisten: [1]\ncolour: red\n')
    const text = await complaint({ config: file }, { SHOWCHAIN_RELAY_TRACE: 'perhaps' })
    expect(text).toContain('trace (SHOWCHAIN_RELAY_TRACE)')
    expect(text).toContain(`listen.0 (${file})`)
    expect(text).toContain(`colour (${file}): no such key`)
  })

  test('says in one line what is wrong with a file that is no configuration', async () => {
    expect(await complaint({ config: folder.file('absent.yaml') }, {})).toMatch(
      /^config \(.*absent\.yaml\): ENOENT[^\n]*$/,
    )
    expect(await complaint({ config: folder.write('list.yaml', '- a\n') }, {})).toContain('not a JSON or YAML object')
    expect(await complaint({ config: folder.write('broken.yaml', 'a: [1\n') }, {})).toMatch(/^config \([^\n]+$/)
  })
})
