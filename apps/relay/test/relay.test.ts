/** The program as an operator runs it: real process, real sockets. */
import { chmodSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Peer } from '@showchain/client'
import { generateIdentity, loadIdentity, publicKeyToPem } from '@showchain/crypto'
import { mailboxOf, offerCode, takeCode } from '@showchain/mailbox'
import { parseTicket, type Ticket } from '@showchain/wire'
import { Folder, Program } from '@showchain-tooling/vitest/programs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../bin/showchain-relay.js', import.meta.url))

let folder: Folder
const programs: Program[] = []
beforeAll(() => {
  folder = new Folder()
})
afterEach(() => {
  for (const program of programs.splice(0)) program.kill()
})
afterAll(() => folder.remove())

function start(args: readonly string[], environment?: Record<string, string>): Program {
  const program = new Program(BIN, args, environment)
  programs.push(program)
  return program
}
const identity = (): string => folder.file('relay.pem')
const running = (...args: readonly string[]): Program =>
  start(['--identity', identity(), '--create-identity', '--listen', '127.0.0.1:0', '--log-format', 'json', ...args])

/** The level of pino's `info`. */
const INFO = 30

const peerOf = async (relay: string): Promise<Peer> =>
  Peer.open({
    identity: await generateIdentity(),
    relays: [relay],
    listen: [{ host: '127.0.0.1' }],
    addressPolicy: 'lab',
  })

describe('showchain-relay', () => {
  test('prints its ticket as the first and only line on stdout, logs to stderr, and ends with 0 on SIGTERM', async () => {
    const relay = running()
    const ticket = parseTicket(await relay.stdout.line(/./))
    expect(ticket.addresses).toMatchObject([{ host: '127.0.0.1' }])
    await relay.stderr.line(/"msg":"listening"/)
    relay.child.kill('SIGTERM')
    const { code, stdout, stderr } = await relay.ended()
    expect(code).toBe(0)
    expect(stdout.split('\n')).toHaveLength(1)
    expect(stderr).toContain('"msg":"ended"')
  })

  test.each(['--help', '--version'])('%s is no failure when its reader has left', async (flag) => {
    const line = `exec 3> >(exit); wait $!; exec ${process.execPath} ${BIN} ${flag} >&3`
    expect(await Program.shell(line).ended()).toMatchObject({ code: 0, stderr: '' })
  })

  test('--create-identity makes a private key that only its owner reads, and keeps the one that is there', async () => {
    const first = running()
    const ticket = await first.stdout.line(/./)
    expect(statSync(identity()).mode & 0o777).toBe(0o600)
    first.child.kill('SIGINT')
    expect((await first.ended()).code).toBe(0)
    const second = running()
    expect(parseTicket(await second.stdout.line(/./)).id).toBe(parseTicket(ticket).id)
  })

  test('registers peers, and shows every message with --trace', async () => {
    const relay = running('--trace')
    await using peer = await peerOf(await relay.stdout.line(/./))
    await peer.registered()
    const line = JSON.parse(await relay.stderr.line(/"trace":"sent".*0x102/)) as { readonly op: number }
    expect(line.op).toBe(0x102)
  })

  test('forwards a protected connection as channel frames, and logs no warning', async () => {
    const relay = running()
    const ticket = await relay.stdout.line(/./)
    await using bob = await peerOf(ticket)
    await using alice = await peerOf(ticket)
    await Promise.all([alice.registered(), bob.registered()])
    const connection = await alice.connect(bob.ticket, { via: 'relay-only' })
    const { value: accepted } = await bob.incoming.next()
    const stream = await connection.openStream()
    await stream.write(new TextEncoder().encode('a secret'))
    const { value: received } = (await accepted?.streams.next()) ?? {}
    expect(new TextDecoder().decode(await received?.read())).toBe('a secret')
    await Promise.all([alice.close(), bob.close()])
    relay.child.kill('SIGTERM')
    const { stderr } = await relay.ended()
    const lines = stderr.split('\n').map((line) => JSON.parse(line) as { level: number; msg: string })
    expect(lines.filter(({ level }) => level > INFO)).toEqual([])
    const counters = lines.find(({ msg }) => msg === 'ended') as unknown as Record<string, number>
    expect(counters.channelForwarded).toBeGreaterThan(0)
  })

  test('--public-address goes into the ticket', async () => {
    const relay = running('--public-address', 'relay.example.org:4400', '--public-address', '[2001:db8::1]:4400')
    expect(parseTicket(await relay.stdout.line(/./)).addresses).toEqual([
      { host: 'relay.example.org', port: 4400 },
      { host: '2001:db8::1', port: 4400 },
    ])
  })

  test('--peer-key lets a peer register that speaks only the seed', async () => {
    const seedOnly = await generateIdentity()
    const relay = running('--peer-key', folder.write('peer.pem', publicKeyToPem(seedOnly.publicKey)))
    const ticket = await relay.stdout.line(/./)
    const { publicKey } = await loadIdentity(identity())
    await using peer = await Peer.open({
      identity: seedOnly,
      relays: [ticket],
      listen: [{ host: '127.0.0.1' }],
      seedMode: true,
      knownKeys: [publicKey],
    })
    await peer.registered()
    expect(peer.ticket).toContain('relay=')
  })

  test('--metrics serves counters and health', async () => {
    const relay = running('--metrics', '127.0.0.1:0')
    const { metrics } = JSON.parse(await relay.stderr.line(/"msg":"metrics"/)) as {
      readonly metrics: { readonly port: number }
    }
    const base = `http://127.0.0.1:${metrics.port}`
    expect(await (await fetch(`${base}/healthz`)).text()).toBe('ok\n')
    const text = await (await fetch(`${base}/metrics`)).text()
    expect(text).toMatch(/^showchain_relay_datagrams_total\{direction="in"\} 0$/m)
    expect(text).toMatch(/^showchain_relay_table_entries\{table="bindings"\} 0$/m)
    for (const path of ['/healthz', '/readyz', '/metrics'])
      expect((await fetch(`${base}${path}?from=somewhere`)).status).toBe(200)
    for (const path of ['/nothing', '/nothing?/metrics']) expect((await fetch(`${base}${path}`)).status).toBe(404)
  })

  describe('--mailbox', () => {
    const withMailbox = (...args: readonly string[]): Program => running('--mailbox', ...args)
    const wrong = '-abandon-ability'

    test('names its mailbox in the ticket, by which two peers exchange theirs with a code', async () => {
      const relay = withMailbox()
      const ticket = await relay.stdout.line(/mailbox=/)
      const mailbox = mailboxOf(parseTicket(ticket)) as Ticket
      await using alice = await peerOf(ticket)
      await using bob = await peerOf(ticket)
      await using offered = await offerCode(alice, mailbox)
      expect((await takeCode(bob, mailbox, offered.code)).id).toBe(alice.id)
      expect((await offered.taken).id).toBe(bob.id)
      relay.child.kill('SIGTERM')
      const { stderr } = await relay.ended()
      const lines = stderr.split('\n').map((line) => JSON.parse(line) as { level: number; msg: string })
      expect(lines.filter(({ level }) => level > INFO)).toEqual([])
      expect(lines.find(({ msg }) => msg === 'mailbox ended')).toMatchObject({ slotsTaken: 1, runsDone: 1 })
    })

    test('keeps its identity beside that of the relay, for its owner alone', async () => {
      const first = withMailbox()
      const { mailbox } = parseTicket(await first.stdout.line(/./))
      first.child.kill('SIGINT')
      expect((await first.ended()).code).toBe(0)
      expect(statSync(`${identity()}.mailbox`).mode & 0o777).toBe(0o600)
      // Also where the relay is bound to every address: it has the mailbox on loopback.
      const second = start(['--identity', identity(), '--listen', '0.0.0.0:0', '--mailbox', '--log-format', 'json'])
      expect(parseTicket(await second.stdout.line(/./)).mailbox).toBe(mailbox)
    })

    test('counts the tries of one address, whatever the ids of its peers', async () => {
      const relay = withMailbox('--metrics', '127.0.0.1:0')
      const { metrics } = JSON.parse(await relay.stderr.line(/"msg":"metrics"/)) as {
        readonly metrics: { readonly port: number }
      }
      const ticket = await relay.stdout.line(/./)
      const mailbox = mailboxOf(parseTicket(ticket)) as Ticket
      const codes: unknown[] = []
      for (let count = 0; count < 3; count++) {
        await using peer = await peerOf(ticket)
        for (let tries = 0; tries < 8; tries++)
          codes.push(await takeCode(peer, mailbox, `99${wrong}`).catch(({ code }: { code: string }) => code))
      }
      expect(codes.slice(0, 20)).toEqual(new Array(20).fill('ERR_CODE_UNKNOWN'))
      expect(codes.at(-1)).toBe('ERR_MAILBOX_BUSY')
      const text = await (await fetch(`http://127.0.0.1:${metrics.port}/metrics`)).text()
      expect(text).toMatch(/^showchain_mailbox_refused_unknown_total 2[0-3]$/m)
      expect(text).toMatch(/^showchain_mailbox_table_entries\{table="slots"\} 0$/m)
    })

    test('tells those who wait that it ends', async () => {
      const relay = withMailbox()
      const ticket = await relay.stdout.line(/./)
      await using alice = await peerOf(ticket)
      const offered = await offerCode(alice, mailboxOf(parseTicket(ticket)) as Ticket)
      relay.child.kill('SIGTERM')
      await expect(offered.taken).rejects.toMatchObject({ code: 'ERR_MAILBOX_FAILED' })
      expect((await relay.ended()).code).toBe(0)
    })

    test('says so when the file of its identity cannot be used', async () => {
      const folderOf = new Folder()
      const path = folderOf.write('relay.pem.mailbox', 'no key')
      chmodSync(path, 0o600)
      const relay = start([
        '--identity',
        folderOf.file('relay.pem'),
        '--create-identity',
        '--listen',
        '127.0.0.1:0',
        '--mailbox',
      ])
      expect(await relay.ended()).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('relay.pem.mailbox'),
      })
      folderOf.remove()
    })
  })

  test('drains on a signal: its peers are told, /readyz says 503, and it ends when they are quiet', async () => {
    const relay = running('--metrics', '127.0.0.1:0')
    await using peer = await peerOf(await relay.stdout.line(/./))
    await peer.registered()
    const { metrics } = JSON.parse(await relay.stderr.line(/"msg":"metrics"/)) as {
      readonly metrics: { readonly port: number }
    }
    const ready = `http://127.0.0.1:${metrics.port}/readyz`
    expect((await fetch(ready)).status).toBe(200)
    const told = new Promise((resolve) => peer.on('relay', ({ state }) => state === 'draining' && resolve(state)))
    relay.child.kill('SIGTERM')
    await told
    const answer = await fetch(ready)
    expect([answer.status, await answer.text()]).toEqual([503, 'draining\n'])
    expect((await relay.ended()).code).toBe(0)
  })

  test.each([
    ['--drain-seconds', '0'],
    ['--drain-seconds', '600'],
  ])('%s %s, and a second signal, end the wait', async (...patience) => {
    const relay = running(...patience)
    await using peer = await peerOf(await relay.stdout.line(/./))
    await peer.registered()
    relay.child.kill('SIGTERM')
    await relay.stderr.line(/"msg":"draining/)
    if (patience[1] !== '0') relay.child.kill('SIGTERM')
    const { code, stderr } = await relay.ended()
    expect([code, stderr]).toEqual([0, expect.stringContaining('"msg":"ended"')])
  })

  test.each([
    [['--identity', 'absent.pem'], /^showchain-relay: identity: there is no absent\.pem/],
    [['--bogus'], /unknown option '--bogus'/],
    [['surplus'], /^error: unknown command 'surplus'\n\(showchain-relay --help shows all options\)$/],
    [['tokn'], /^error: unknown command 'tokn'\n\(Did you mean token\?\)/],
    [['help', 'clt'], /^error: unknown command 'clt'\n\(Did you mean ctl\?\)/],
    [['ctl', 'lst'], /^error: unknown command 'lst'\n\(Did you mean list\?\)\n\(showchain-relay ctl --help/],
    [['--identity', 'x', '--listen', 'here'], /^showchain-relay: listen\.0 \(--listen\)/],
    [['--identity', 'x', '--config', 'absent.yaml'], /^showchain-relay: config \(absent\.yaml\)/],
  ])('ends with 2 and no stack for %j', async (args, expected) => {
    const { code, stdout, stderr } = await start(args).ended()
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(expected)
    expect(stderr).not.toMatch(/^ {4}at /m)
  })

  test('says so when the passphrase is wrong or missing, when a key file is none, and when others can read it', async () => {
    const encrypted = folder.file('encrypted.pem')
    const made = start(['--identity', encrypted, '--create-identity', '--listen', '127.0.0.1:0'], {
      SHOWCHAIN_PASSPHRASE: 'open sesame',
    })
    await made.stdout.line(/./)
    const cases: [string[], Record<string, string>, RegExp][] = [
      [['--identity', encrypted], {}, /passphrase is needed/],
      [['--identity', encrypted], { SHOWCHAIN_PASSPHRASE: 'wrong' }, /passphrase is wrong/],
      [['--identity', folder.write('text.pem', 'hello')], {}, /The key is refused/],
    ]
    for (const [args, environment, expected] of cases) {
      const { code, stderr } = await start(args, environment).ended()
      expect([code, stderr]).toEqual([2, expect.stringMatching(expected)])
    }
  })

  test('says so when the port is taken', async () => {
    const relay = running()
    const [address] = parseTicket(await relay.stdout.line(/./)).addresses
    const second = start(['--identity', identity(), '--listen', `127.0.0.1:${address?.port}`])
    const { code, stderr } = await second.ended()
    expect([code, stderr]).toEqual([1, expect.stringMatching(/local address is in use/)])
  })

  test('prints no ticket when the address for metrics cannot be had', async () => {
    const first = running('--metrics', '127.0.0.1:0')
    const { metrics } = JSON.parse(await first.stderr.line(/"msg":"metrics"/)) as {
      readonly metrics: { readonly port: number }
    }
    const { code, stdout, stderr } = await running('--metrics', `127.0.0.1:${metrics.port}`).ended()
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(/local address is in use.*metrics/)
  })

  test('goes on serving when nobody reads its logs any more', async () => {
    const relay = running('--trace')
    const ticket = await relay.stdout.line(/./)
    relay.child.stderr?.destroy()
    relay.child.stdout?.destroy()
    await using peer = await peerOf(ticket)
    await peer.registered()
    relay.child.kill('SIGTERM')
    expect((await relay.ended()).code).toBe(0)
  })

  test('--log-format pretty is for people', async () => {
    const relay = running('--log-format', 'pretty')
    await relay.stdout.line(/./)
    relay.child.kill('SIGTERM')
    const { stderr } = await relay.ended()
    expect(stderr).toMatch(/INFO.*listening/)
    expect(stderr).toMatch(/INFO.*ended/)
  })

  test('--help and --version end with 0', async () => {
    const help = await start(['--help']).ended()
    expect(await start(['help']).ended()).toEqual(help)
    expect((await start(['help', 'ctl']).ended()).stdout).toBe((await start(['ctl', '--help']).ended()).stdout)
    expect([help.code, help.stdout]).toEqual([0, expect.stringContaining('Exit codes')])
    expect(help.stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect(await start(['--version']).ended()).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    })
  })
})
