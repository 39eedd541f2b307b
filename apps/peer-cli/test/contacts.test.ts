/** Names for peers: the command, its file, and where a name stands for a ticket. */
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatTicket, type PeerId, peerIdFromBytes } from '@showchain/wire'
import { Folder, Program } from '@showchain-tooling/vitest/programs'
import { afterEach, beforeEach, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../bin/showchain.js', import.meta.url))
const idOf = (byte: number): PeerId => peerIdFromBytes(new Uint8Array(32).fill(byte))
/** Where nobody may send to: the ticket of a documentation address. */
const ticketOf = (byte: number): string =>
  formatTicket({ id: idOf(byte), relays: [], addresses: [{ host: '192.0.2.1', port: 4000 }] })

let folder: Folder
beforeEach(() => {
  folder = new Folder()
})
afterEach(() => folder.remove())
const file = (): string => folder.file('showchain/contacts.json')

const run = (...args: readonly string[]): ReturnType<Program['ended']> =>
  new Program(BIN, args, { XDG_CONFIG_HOME: folder.path }).ended()
const contact = (...args: readonly string[]): ReturnType<Program['ended']> => run('contact', ...args)

test('a contact is added, listed, renamed and removed, in a file that only its owner reads', async () => {
  expect(await contact('list')).toMatchObject({ code: 0, stdout: '' })
  expect(await contact('add', 'bob', ticketOf(2))).toMatchObject({ code: 0, stdout: '' })
  await contact('add', 'alice', idOf(1))
  expect((await contact('list')).stdout).toBe(`alice  ${idOf(1)}\nbob  ${ticketOf(2)}`)
  if (process.platform !== 'win32') expect(statSync(file()).mode & 0o777).toBe(0o600)
  expect(await contact('rename', 'bob', 'robert')).toMatchObject({ code: 0 })
  expect(await contact('remove', 'alice')).toMatchObject({ code: 0 })
  const listed = JSON.parse((await contact('list', '--json')).stdout) as object
  expect(listed).toMatchObject({ event: 'contact', name: 'robert', id: idOf(2), ticket: ticketOf(2) })
  expect(readdirSync(dirname(file()))).toEqual(['contacts.json'])
})

test('a list that cannot be written is named in one line, with exit code 2', async () => {
  symlinkSync(folder.file('absent/folder'), folder.file('showchain'))
  const { code, stderr } = await contact('add', 'bob', idOf(2))
  expect([code, stderr]).toEqual([2, expect.stringMatching(/^showchain: .*contacts\.json cannot be written: .*$/)])
})

/** base64url, so that one in 64 begins so; those with h and V look like groups of short options. */
test.each(['-A', '-V', '-h', '--'])('an id may begin with %s, and is no option', async (beginning) => {
  const id = `${beginning}${'A'.repeat(41)}`
  expect(await contact('add', 'alice', id)).toMatchObject({ code: 0, stdout: '', stderr: '' })
  expect((await contact('list')).stdout).toBe(`alice  ${id}`)
  expect(await run('ping', id, '--no-lan-discovery')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('only an id, by which nobody is found without LAN discovery'),
  })
})

test('a newer ticket of the same peer replaces the older one; another peer does not', async () => {
  await contact('add', 'bob', idOf(2))
  expect(await contact('add', 'bob', ticketOf(2))).toMatchObject({ code: 0 })
  const { code, stderr } = await contact('add', 'bob', ticketOf(3))
  expect([code, stderr]).toEqual([2, expect.stringContaining(`bob is another peer, ${idOf(2)}`)])
  expect((await contact('list')).stdout).toBe(`bob  ${ticketOf(2)}`)
})

test('connect, ping, receive and send --to take a name in place of a ticket', async () => {
  await contact('add', 'bob', ticketOf(2))
  for (const command of [['connect'], ['ping'], ['receive', '--yes'], ['send', '--text', 'x', '--to']])
    expect(await run(...command, 'bob', '--timeout', '1')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('192.0.2.1'),
    })
})

test('a name that is typed wrong is near another one, in every command', async () => {
  for (const name of ['bob', 'rob', 'Alice']) await contact('add', name, ticketOf(2))
  const wrong: readonly (readonly [readonly string[], string])[] = [
    [['connect', 'bobb'], '"bobb" is neither a contact nor a ticket (did you mean bob?)'],
    [['ping', 'aliec'], '"aliec" is neither a contact nor a ticket (did you mean Alice?)'],
    [['forward', '0', 'ob'], '"ob" is neither a contact nor a ticket (did you mean bob or rob?)'],
    [
      ['receive', '--yes', 'bobby'],
      '"bobby" is neither a contact nor a ticket nor a code such as 7-orbit-velvet (did you mean bob?)',
    ],
    [['listen', '--allow', 'alise', '--ephemeral'], 'which has 43 characters (did you mean Alice?)'],
    [['contact', 'remove', 'rbo'], 'there is no contact "rbo" (did you mean rob?)'],
    [['connect', 'carol'], '"carol" is neither a contact nor a ticket'],
  ]
  for (const [args, sentence] of wrong) {
    const { code, stderr } = await run(...args)
    expect([code, stderr.endsWith(sentence)], stderr).toEqual([2, true])
  }
})

test('a name that another contact has, or that is no name, is refused for what it is', async () => {
  for (const name of ['bob', 'rob']) await contact('add', name, ticketOf(2))
  expect((await contact('rename', 'bob', 'rob')).stderr).toBe(
    `showchain: rob is another contact, ${idOf(2)}: remove it first, or take another name`,
  )
  expect((await contact('rename', 'bob', '7')).stderr).toMatch(/^showchain: a name begins with a letter/)
})

test('a name of which only the id is known says what is missing', async () => {
  await contact('add', 'alice', idOf(1))
  expect(await run('ping', 'alice')).toMatchObject({ code: 2, stderr: expect.stringContaining('only the id is known') })
})

test('an id does in place of a ticket where LAN discovery is on, and no host answers on loopback', async () => {
  await contact('add', 'alice', idOf(1))
  for (const who of ['alice', idOf(2)]) {
    const line = `unset SHOWCHAIN_NO_LAN_DISCOVERY; exec ${process.execPath} ${BIN} ping --host 127.0.0.1 ${who}`
    expect(await Program.shell(line, { XDG_CONFIG_HOME: folder.path }).ended()).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('direct by this network: no host says that it is the peer'),
    })
  }
  expect(await run('ping', idOf(2))).toMatchObject({ code: 2 })
})

test.each([
  [['add', '-x', ticketOf(1)]],
  [['add', 'a:b', ticketOf(1)]],
  [['add', 'a b', ticketOf(1)]],
  [['add', '7-orbit-velvet', ticketOf(1)]],
  [['add', 'bob', 'not a ticket']],
  [['add', 'bob']],
  [['list', 'bob']],
  [['remove', 'nobody']],
  [['rename', 'nobody', 'somebody']],
  [['paint', 'bob']],
])('contact %j is refused in one line, and nothing is written', async (args) => {
  const { code, stderr } = await contact(...args)
  expect([code, readdirSync(folder.path)]).toEqual([2, []])
  expect(stderr).not.toContain('    at ')
})

test.each(['', '{}', '[', '{"version":1,"contacts":{"a:b":{"id":"x"}}}', '{"version":2,"contacts":{}}'])(
  'a file that is not a list of contacts is named, and left as it is: %j',
  async (content) => {
    mkdirSync(dirname(file()), { recursive: true })
    writeFileSync(file(), content)
    expect(await contact('add', 'bob', ticketOf(2))).toMatchObject({ code: 2, stderr: expect.stringContaining(file()) })
    expect(readFileSync(file(), 'utf8')).toBe(content)
  },
)

test('--allow takes a name, and a name that there is not is refused', async () => {
  await contact('add', 'bob', idOf(2))
  const listen = (name: string): readonly string[] => [
    'listen',
    '--ephemeral',
    '--lab',
    '--host',
    '127.0.0.1',
    '--allow',
    name,
  ]
  const listening = new Program(BIN, listen('bob'), { XDG_CONFIG_HOME: folder.path })
  expect(await listening.stdout.line(/^showchain:/)).toContain('showchain:')
  listening.kill()
  expect(await run(...listen('carol'))).toMatchObject({ code: 2, stderr: expect.stringContaining('carol') })
})
