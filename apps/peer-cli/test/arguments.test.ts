/** Keys and wrong arguments: one clear line, the documented exit code, never a stack. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { generateIdentity, loadIdentity, publicKeyFromPem } from '@showchain/crypto'
import { Folder, Program } from '@showchain-tooling/vitest/programs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const COMMANDS = [
  ...['keygen', 'id', 'send', 'receive', 'listen', 'connect', 'ping', 'doctor', 'serve', 'forward', 'stdio'],
  ...['contact', 'completion', 'man'],
]
const BIN = fileURLToPath(new URL('../bin/showchain.js', import.meta.url))

let folder: Folder
beforeAll(() => {
  folder = new Folder()
})
afterAll(() => folder.remove())

const run = (args: readonly string[], environment?: Record<string, string>): ReturnType<Program['ended']> =>
  new Program(BIN, args, environment).ended()

describe('keygen and id', () => {
  test('make a key that only its owner reads, and print its id', async () => {
    const file = folder.file('a.pem')
    const { code, stdout } = await run(['keygen', '--out', file])
    expect([code, stdout]).toEqual([0, (await loadIdentity(file)).id])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect((await run(['id', '--identity', file])).stdout).toBe(stdout)
    expect(publicKeyFromPem((await run(['id', '--identity', file, '--pem'])).stdout).id).toBe(stdout)
  })

  test('use the XDG place unless told otherwise', async () => {
    const environment = { XDG_CONFIG_HOME: folder.file('config') }
    const { stdout } = await run(['keygen'], environment)
    expect(await run(['id'], environment)).toMatchObject({ code: 0, stdout })
    expect((await loadIdentity(folder.file('config/showchain/identity.pem'))).id).toBe(stdout)
  })

  test('never overwrite anything', async () => {
    const file = folder.write('there.pem', 'something of value')
    const { code, stderr } = await run(['keygen', '--out', file])
    expect([code, stderr]).toEqual([2, expect.stringMatching(/never overwritten/)])
    expect(readFileSync(file, 'utf8')).toBe('something of value')
  })

  test('name the file that cannot be written, with exit code 2', async () => {
    const { code, stderr } = await run(['keygen', '--out', folder.file('absent/a.pem')])
    expect([code, stderr]).toEqual([2, expect.stringContaining('absent/a.pem')])
  })

  test('encrypt with a passphrase, and say when it is missing or wrong', async () => {
    const file = folder.file('encrypted.pem')
    const passphrase = folder.write('passphrase', 'open sesame\n')
    const { stdout } = await run(['keygen', '--out', file, '--passphrase-file', passphrase])
    expect(readFileSync(file, 'utf8')).toContain('ENCRYPTED')
    expect(await run(['id', '--identity', file], { SHOWCHAIN_PASSPHRASE: 'open sesame' })).toMatchObject({
      code: 0,
      stdout,
    })
    expect(await run(['id', '--identity', file])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('SHOWCHAIN_PASSPHRASE'),
    })
    expect(await run(['id', '--identity', file], { SHOWCHAIN_PASSPHRASE: 'x' })).toMatchObject({
      code: 2,
      stderr: `showchain: The passphrase is wrong. It is that of SHOWCHAIN_PASSPHRASE, for ${file}.`,
    })
  })

  test('name a passphrase file that is not there, and not the key file', async () => {
    const absent = folder.file('no-passphrase')
    const { code, stderr } = await run(['id', '--identity', folder.file('a.pem'), '--passphrase-file', absent])
    expect([code, stderr]).toEqual([2, expect.stringMatching(new RegExp(`^showchain: [^,]*${absent}`))])
  })
})

describe('wrong arguments', () => {
  const open = ['--ephemeral', '--lab', '--plaintext', '--host', '127.0.0.1']

  test.each([
    [['connect', ...open, 'nonsense'], /^showchain: "nonsense" is neither a contact nor a ticket$/],
    [['connect', ...open, '7-orbit-velvet'], /is a code, which `receive` and `send --to` take/],
    [['connect', ...open], /missing required argument 'ticket'/],
    [['connect', ...open, 'a', 'b'], /too many arguments/],
    [['listen', ...open, '--bogus'], /unknown option '--bogus'/],
    [['lisen'], /unknown command 'lisen'/],
    [['listen', ...open, '--port', '70000'], /--port is a whole number from 0 to 65535/],
    [['listen', ...open, '--encoding', 'xml'], /--encoding is binary or json/],
    [['listen', ...open, '--encoding', '\u001b[2J\n'], /^showchain: --encoding is [^\p{C}]*$/u],
    [['listen', ...open, '--relay', 'x'], /Not a ticket/],
    [['listen', ...open, '--relay', ''], /--relay is empty: it takes the ticket of a relay/],
    [['listen', ...open, '--allow', 'x'], /"x" is neither a contact nor the id of a peer/],
    [['listen', ...open, '--timeout', '0'], /--timeout is a whole number/],
    [['listen', ...open, '--peer-key', '/absent.pem'], /cannot be read/],
    [['listen', '--plaintext', '--identity', '/absent.pem'], /showchain keygen/],
    [['keygen', '--bits', '1024'], /--bits is one of 2048, 3072, 4096/],
    [['connect', ...open, '--via', 'pigeon', 'showchain:x'], /--via is one of/],
    [['send', '--lab'], /name files or folders to send, or a text/],
    [['send', '--lab', '--text', 'x', BIN], /name files or folders to send, or a text/],
    [['send', '--lab', '/absent'], /there is no such file or folder/],
    [['send', '--lab', '--text', 'x'.repeat(70_000)], /--text has at most 65536 bytes/],
    [
      ['serve', '--ephemeral', '--lab', 'http://127.0.0.1:80'],
      /expected tcp:\/\/host:port, udp:\/\/host:port or unix:PATH/,
    ],
    [['serve', '--ephemeral', '--lab', '80'], /^showchain: "80": expected tcp/],
    [['serve', '--ephemeral', '--lab', '--allow', 'x', 'tcp://127.0.0.1:80'], /neither a contact nor the id/],
    [['forward', '--ephemeral', '--lab', '8080', 'nonsense'], /neither a contact nor a ticket/],
    [['forward', '--ephemeral', '--lab', '99999', `showchain:${'A'.repeat(43)}`], /99999/],
    [['stdio', '--ephemeral', '--lab', 'nonsense'], /neither a contact nor a ticket/],
    [['receive', '--lab', 'nonsense'], /--yes takes what is offered/],
    [['send', '--lab', '--text', 'x', '--to', 'showchain:x'], /Not a ticket/],
    [['send', '--lab', '--text', 'x', '--to', '7-orbit-velvat'], /No code has the word "velvat"/],
    [['receive', '--lab', '--yes', 'nonsense'], /neither a contact nor a ticket nor a code such as 7-orbit-velvet$/],
    [['receive', '--lab', '--yes', 'orbit', 'velvet'], /Not a code: expected a number and two words/],
    [
      ['help', 'snd'],
      /^error: unknown command 'snd'\n\(Did you mean send\?\)\n\(showchain --help shows all commands\)$/,
    ],
    [['receive', '--lab', '--yes', 'showchain:x'], /Not a ticket/],
    [['receive', '--lab', '--yes', '7', 'orbit', 'velvet'], /name it with --relay or SHOWCHAIN_RELAY/],
    [
      ['receive', '--lab', '--yes', '--policy', 'direct-only', '7-orbit-velvet'],
      /with --policy direct-only use a ticket/,
    ],
    [['receive', '--lab', '--yes', '--wait', '7-orbit-velvet'], /leave the code out/],
    [['receive', '--lab', '--yes'], /name the code or the ticket/],
    [['receive', '--lab', '--yes', '--out', '/absent', 'showchain:x'], /there is no such file or folder/],
  ])('%j: exit code 2 and one clear line', async (args, expected) => {
    const { code, stdout, stderr } = await run(args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(expected)
    expect(stderr).not.toMatch(/^ {4}at /m)
  })

  test('a key file that others can read is refused with what to do', async () => {
    const file = folder.file('open.pem')
    await run(['keygen', '--out', file])
    const readable = folder.write('readable.pem', readFileSync(file, 'utf8'), 0o644)
    expect(await run(['id', '--identity', readable])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('chmod 600'),
    })
  })

  test('--help loads no binary of an optional package', async () => {
    const script =
      'process.report.excludeNetwork = true; process.on("exit", () => console.error(process.report.getReport().sharedObjects.filter((path) => /koffi|sodium/.test(path))))'
    const hook = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(script)}` }
    expect(await run(['--help'], hook)).toMatchObject({ code: 0, stderr: '[]' })
  })

  test('--help of each command ends with 0 and shows its options', async () => {
    for (const command of [[], ...COMMANDS.map((name) => [name])])
      expect(await run([...command, '--help'])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('Usage: showchain'),
      })
    expect(await run(['--version'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+$/) })
  })

  test('--help of each command fits 80 columns', async () => {
    for (const command of [[], ...COMMANDS.map((name) => [name])]) {
      const { stdout } = await run([...command, '--help'])
      expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    }
  })
})

describe('a stdout that takes nothing', () => {
  /** A pipe whose reader has gone before the program starts. */
  const unread = (args: string): ReturnType<Program['ended']> =>
    Program.shell(`exec 3> >(exit); wait $!; exec ${process.execPath} ${BIN} ${args} >&3`).ended()
  const full = (args: string): ReturnType<Program['ended']> =>
    Program.shell(`exec ${process.execPath} ${BIN} ${args} > /dev/full`).ended()

  test.each(['--help', '--version', 'connect --help'])('of %s is no failure when its reader has left', async (args) => {
    expect(await unread(args)).toMatchObject({ code: 0, stderr: '' })
  })

  test('of an id is a failure', async () => {
    const file = folder.file('unread.pem')
    await run(['keygen', '--out', file])
    expect(await unread(`id --identity ${file}`)).toMatchObject({
      code: 1,
      stderr: 'showchain: stdout was closed by what reads it',
    })
  })

  test.each(['--help', '--version'])('of %s is one line when the disk is full', async (args) => {
    const { code, stderr } = await full(args)
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^showchain: stdout: ENOSPC.*$/)])
  })

  test('leaves the exit code of a wrong argument', async () => {
    expect(await unread('connect --json nonsense')).toMatchObject({ code: 2, stderr: '' })
  })

  test('ends a program that listens', async () => {
    const flags = '--ephemeral --lab --host 127.0.0.1'
    expect(await unread(`listen ${flags}`)).toMatchObject({ code: 1, stderr: expect.not.stringContaining('    at ') })
    expect(await unread(`listen --json ${flags}`)).toMatchObject({ code: 1, stderr: '' })
  })
})

describe('a wait', () => {
  /** Its id is that of nobody, and nothing answers at its address: a socket of this test is bound there. */
  const absent = async (): Promise<{ readonly socket: Socket; readonly ticket: string }> => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { id } = await generateIdentity()
    return { socket, ticket: `showchain:${id}?addr=127.0.0.1:${socket.address().port}` }
  }

  test('of more than 2 s says what for, as a sentence and as an event', async () => {
    const { socket, ticket } = await absent()
    try {
      const flags = ['--ephemeral', '--lab', '--host', '127.0.0.1', '--timeout', '4']
      const [connect, listen, json] = await Promise.all([
        run(['connect', ...flags, ticket]),
        run(['listen', ...flags, '--relay', ticket]),
        run(['connect', ...flags, '--json', ticket]),
      ])
      expect([connect.code, listen.code, json.code]).toEqual([3, 3, 3])
      expect(connect.stderr).toMatch(/^waiting for the remote peer: no path has answered yet$/m)
      expect(listen.stderr).toMatch(/^waiting for a relay to answer$/m)
      expect(json.stdout.split('\n').map((line) => JSON.parse(line))).toContainEqual({
        event: 'waiting',
        text: 'waiting for the remote peer: no path has answered yet',
      })
    } finally {
      socket.close()
    }
  })
})
