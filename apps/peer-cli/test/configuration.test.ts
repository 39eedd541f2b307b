/** Options from `config.yaml`: which come first, and what is refused. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatTicket, type PeerId, peerIdFromBytes } from '@showchain/wire'
import { Folder, Program } from '@showchain-tooling/vitest/programs'
import { afterEach, beforeEach, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../bin/showchain.js', import.meta.url))
const idOf = (byte: number): PeerId => peerIdFromBytes(new Uint8Array(32).fill(byte))
const relayAt = (port: number): string =>
  formatTicket({ id: idOf(port % 256), relays: [], addresses: [{ host: '127.0.0.1', port }] })

let folder: Folder
const programs: Program[] = []
beforeEach(() => {
  folder = new Folder()
})
afterEach(() => {
  for (const program of programs.splice(0)) program.kill()
  folder.remove()
})

/** The program with this file. */
function showchain(yaml: string, args: readonly string[], environment: Record<string, string> = {}): Program {
  const place = folder.file('showchain')
  mkdirSync(place, { recursive: true })
  writeFileSync(join(place, 'config.yaml'), yaml)
  const program = new Program(BIN, args, { XDG_CONFIG_HOME: folder.path, ...environment })
  programs.push(program)
  return program
}

/** The ports of the relays that a listener asks, of which none answers. */
async function asked(program: Program): Promise<readonly string[]> {
  const { code, stderr } = await program.ended()
  expect(code).toBe(3)
  return [...new Set(stderr.match(/(?<="remote":"127\.0\.0\.1:)\d+/g))].sort()
}
const LISTEN = ['listen', '--ephemeral', '--json'] as const

test('a flag comes before the environment, and that before the file', async () => {
  const yaml = `relay:\n  - '${relayAt(1001)}'\n  - '${relayAt(1002)}'\nhost: 127.0.0.1\nlab: true\n`
  const listen = ['listen', '--ephemeral', '--timeout', '1', '--trace']
  expect(await asked(showchain(yaml, listen))).toEqual(['1001', '1002'])
  expect(await asked(showchain(yaml, listen, { SHOWCHAIN_RELAY: '' }))).toEqual(['1001', '1002'])
  const environment = { SHOWCHAIN_RELAY: relayAt(1003) }
  expect(await asked(showchain(yaml, listen, environment))).toEqual(['1003'])
  expect(await asked(showchain(yaml, [...listen, '--relay', relayAt(1004)], environment))).toEqual(['1004'])
})

test('an option of another command is left aside, and an empty file says nothing', async () => {
  for (const yaml of ['out: /nowhere\n', '', '# nothing\n'])
    expect(await showchain(yaml, ['contact', 'list']).ended()).toMatchObject({ code: 0, stderr: '' })
})

test.each([
  ['relays: [x]\n', 'there is no option "relays" (did you mean relay?); there are relay, allow, out, policy, '],
  ['port: many\n', 'port is a number, not "many"'],
  ['lan: 1\n', 'lan is true or false, not 1'],
  ['relay: 7\n', 'relay is a text, or a list of texts, not 7'],
  ["out: ''\n", 'out is a text that is not empty, not ""'],
  ['- relay\n', 'it has options, one a line, such as `timeout: 60`'],
  ['relay: [\n', 'cannot be read'],
])('a file that is wrong is named, and what is wrong in it: %j', async (yaml, what) => {
  const { code, stderr } = await showchain(yaml, LISTEN).ended()
  expect([code, stderr]).toEqual([2, expect.stringContaining(what)])
  expect(stderr).toMatch(/^showchain: \/.*config\.yaml.*$/)
})

const RECEIVE = ['receive', '--yes', '--json', '7-orbit-velvet'] as const

/** What is wrong, by the option, and what an error says behind the name of the option. */
const WRONG = [
  ['policy', 'sometimes', ' is one of auto, direct-only, relay-only, not "sometimes"', LISTEN],
  ['port', '70000', ' is a whole number from 0 to 65535, not "70000"', LISTEN],
  ['keepAlive', '1', ' is a whole number from 100 to 60000, not "1"', LISTEN],
  ['deadAfter', '1', ' is a whole number from 3 to 86400, not "1"', LISTEN],
  ['timeout', '0', ' is a whole number from 1 to 3600, not "0"', ['ping', relayAt(1001), '--json']],
  ['host', 'nowhere', ' is an IP address of this host, not "nowhere"', LISTEN],
  ['allow', 'bob', ': "bob" is neither a contact nor the id of a peer', LISTEN],
  ['relay', 'bad', ': It must start with "showchain:"', LISTEN],
  ['relay', 'bad', ': It must start with "showchain:"', RECEIVE],
  ['relay', 'bad', ': It must start with "showchain:"', ['doctor', '--json']],
  ['via', 'x', ' is one of auto, direct-only, relay-only, direct, punch, not "x"', RECEIVE],
  ['out', '/nowhere', ': "/nowhere": there is no such file or folder', RECEIVE],
] as const

test.each(WRONG)('what is checked of a flag is checked of the file, whose key is named: %s %s', async (...wrong) => {
  const [option, value, what, args] = wrong
  const { code, stdout } = await showchain(`${option}: ${value}\n`, args).ended()
  expect([code, JSON.parse(stdout.split('\n').at(-1) ?? '')]).toEqual([
    2,
    expect.objectContaining({ text: expect.stringContaining(`/showchain/config.yaml: ${option}${what}`) }),
  ])
  const flag = `--${option.replace('A', '-a')}`
  const { stdout: told } = await showchain('', [...args, flag, value]).ended()
  expect(told).toContain(JSON.stringify(`${flag}${what}`).slice(1, -1))
})

test('a local address that cannot be listened at names the file that it is of, and no flag', async () => {
  const yaml = 'host: 192.0.2.77\nport: 4000\n'
  const { stdout } = await showchain(yaml, LISTEN).ended()
  expect(stdout).toMatch(/no address of this host\. It is of .*config\.yaml: host and .*config\.yaml: port\./)
  const { stdout: told } = await showchain('', [...LISTEN, '--host', '192.0.2.77']).ended()
  expect(told).not.toContain('It is of')
})

test('what is wrong in the environment is named by its variable', async () => {
  const { code, stdout } = await showchain('', LISTEN, { SHOWCHAIN_RELAY: 'bad' }).ended()
  expect([code, stdout]).toEqual([2, expect.stringContaining('SHOWCHAIN_RELAY: It must start with')])
  const identity = folder.file('locked.pem')
  await showchain('', ['keygen', '--out', identity], { SHOWCHAIN_PASSPHRASE: 'right' }).ended()
  const { stderr } = await showchain('', ['id', '--identity', identity], { SHOWCHAIN_PASSPHRASE: 'wrong' }).ended()
  expect(stderr).toContain('The passphrase is wrong. It is that of SHOWCHAIN_PASSPHRASE, for ')
})
