/** An operator and a relay that runs: `ctl`, and SIGHUP. Real processes, real sockets. */
import { copyFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Peer } from '@showchain/client'
import { generateIdentity, type Identity } from '@showchain/crypto'
import { certificateFiles, nameShownAt } from '@showchain-tooling/vitest/certificates'
import type { Program } from '@showchain-tooling/vitest/programs'
import { beforeAll, describe, expect, test } from 'vitest'
import { peerOf, relayLab } from './relay-lab.ts'

const UNKNOWN = /does not know you/

const { folder, start, running: runningWith } = relayLab()
let alice: Identity
let bob: Identity
beforeAll(async () => {
  ;[alice, bob] = await Promise.all([generateIdentity(), generateIdentity()])
})

const socket = (): string => folder.file('ctl')
const running = (...args: readonly string[]): Program => runningWith('--control', socket(), ...args)
const ctl = (...args: readonly string[]) => start('ctl', '--control', socket(), ...args).ended()

/** When this peer is told so. */
const told = (peer: Peer, wanted: string): Promise<unknown> =>
  new Promise((resolve) => peer.on('relay', ({ state }) => state === wanted && resolve(state)))

describe('ctl', () => {
  test('lists registered peers, by a socket that only its owner can use', async () => {
    const ticket = await running().stdout.line(/./)
    expect(statSync(socket()).mode & 0o777).toBe(0o600)
    await using one = await peerOf(alice, ticket)
    await using two = await peerOf(bob, ticket)
    await Promise.all([one.registered(), two.registered()])
    const { code, stdout } = await ctl('list')
    const lines = stdout.split('\n').map((line) => line.replace(/:\d+$/, ''))
    expect([code, lines.toSorted()]).toEqual([0, [alice.id, bob.id].map((id) => `${id} 127.0.0.1`).toSorted()])
  })

  test('kicks a peer, which comes again', async () => {
    const ticket = await running().stdout.line(/./)
    await using peer = await peerOf(alice, ticket)
    await peer.registered()
    const lost = told(peer, 'lost')
    const again = told(peer, 'registered')
    expect(await ctl('kick', alice.id)).toMatchObject({ code: 0 })
    await Promise.all([lost, again])
    expect(await ctl('kick', bob.id)).toMatchObject({ code: 2, stderr: expect.stringContaining('no such peer') })
    // base64url, so that one in 64 begins with a hyphen; this one looks like --version.
    const hyphened = `-V${'A'.repeat(41)}`
    expect(await ctl('kick', hyphened)).toMatchObject({ code: 2, stderr: expect.stringContaining('no such peer') })
  })

  test('bans, also for the next relay where what was used is kept, until the ban is taken back', async () => {
    const args = ['--quota', 'idDay=1G', '--usage', folder.file('usage')]
    const first = running(...args)
    await first.stdout.line(/./)
    expect(await ctl('ban', alice.id, '--for', '7d')).toMatchObject({ code: 0 })
    expect(await ctl('ban', '192.0.2.1')).toMatchObject({ code: 0 })
    first.child.kill('SIGKILL')
    await first.ended()
    const ticket = await running(...args).stdout.line(/./)
    const { stdout } = await ctl('bans')
    expect(stdout.split('\n')).toEqual([expect.stringMatching(`^${alice.id} until 2`), '192.0.2.1'])
    await using banned = await peerOf(alice, ticket)
    await expect(banned.registered()).rejects.toThrow(UNKNOWN)
    expect(await ctl('unban', alice.id)).toMatchObject({ code: 0 })
    expect(await ctl('unban', alice.id)).toMatchObject({ code: 2, stderr: expect.stringContaining('no such ban') })
    await using allowed = await peerOf(alice, ticket)
    await allowed.registered()
  })

  test('says so when what listens there is no relay', async () => {
    const path = folder.file('other')
    const server = createServer((_request, response) => void response.end('hello'))
    await new Promise<void>((resolve) => void server.listen(path, resolve))
    const asked = start('ctl', '--control', path, 'list')
    expect(await asked.ended()).toMatchObject({ code: 2, stderr: expect.stringContaining('"hello" is no answer') })
    await new Promise((resolve) => server.close(resolve))
  })

  test('drains the relay as a signal does', async () => {
    const relay = running()
    await relay.stdout.line(/./)
    expect(await ctl('drain')).toMatchObject({ code: 0 })
    expect(await relay.ended()).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/draining[\s\S]*"msg":"ended"/),
    })
  })

  test('that cannot be there ends the relay, whatever else it has opened', async () => {
    const relay = runningWith('--control', folder.file('absent/ctl'), '--metrics', '127.0.0.1:0')
    expect(await relay.ended()).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/absent.ctl/) })
  })

  test.each([
    [['ctl', 'list'], /--control is needed/],
    [['ctl', '--control', 'absent', 'list'], /the relay at absent does not answer/],
  ])('says what is wrong: %j', async (args, expected) => {
    expect(await start(...args).ended()).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(expected) })
  })

  test('says what is wrong with an id, with who is banned, and with a time', async () => {
    await running().stdout.line(/./)
    expect(await ctl('kick', 'me')).toMatchObject({ code: 2, stderr: expect.stringContaining('Not a peer id') })
    expect(await ctl('ban', 'alice')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"alice" is not an id, an address or permit:NUMBER'),
    })
    expect(await ctl('ban', alice.id, '--for', 'ever')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('"ever" is not a time'),
    })
  })
})

describe('SIGHUP', () => {
  test('takes access, limits and the level of the log from the file, for registered peers too', async () => {
    const file = folder.write('relay.yaml', `access: ids\nallow: [${alice.id}, ${bob.id}]\n`)
    const relay = running('--config', file)
    const ticket = await relay.stdout.line(/./)
    await using one = await peerOf(alice, ticket)
    await using two = await peerOf(bob, ticket)
    await Promise.all([one.registered(), two.registered()])
    const lost = told(two, 'lost')
    writeFileSync(
      file,
      `access: ids\nallow: [${alice.id}]\nlogLevel: debug\nlimits: { bindings: 7, sessionsPerId: 7 }\n`,
    )
    relay.child.kill('SIGHUP')
    await relay.stderr.line(/"limits":\["bindings"\],"msg":"sizes of tables stay/)
    await lost
    expect(await relay.stderr.line(/"msg":"unbound"/)).toContain(bob.id)
    relay.child.kill('SIGTERM')
    expect((await relay.ended()).code).toBe(0)
  })

  test('takes the certificate from its files, for connections from now on', async () => {
    const [cert, key] = [folder.file('cert.pem'), folder.file('key.pem')]
    const install = (name: 'first' | 'second'): void => {
      const from = certificateFiles(name)
      copyFileSync(from.cert, cert)
      copyFileSync(from.key, key)
    }
    install('first')
    const relay = running('--websocket', '127.0.0.1:0', '--websocket-cert', cert, '--websocket-key', key)
    const [, port] = /"websocket":\{"ip":"127.0.0.1","port":(\d+)/.exec(await relay.stderr.line(/"listening"/)) ?? []
    expect(await nameShownAt(Number(port))).toBe('first.test')
    install('second')
    relay.child.kill('SIGHUP')
    await relay.stderr.line(/configuration read again/)
    expect(await nameShownAt(Number(port))).toBe('second.test')
  })

  test('says that a certificate stays that the file has no more', async () => {
    const { cert, key } = certificateFiles('first')
    const certified = `websocket: 127.0.0.1:0\nwebsocketCert: ${cert}\nwebsocketKey: ${key}\n`
    const file = folder.write('certified.yaml', certified)
    const relay = running('--config', file)
    const [, port] = /"websocket":\{"ip":"127.0.0.1","port":(\d+)/.exec(await relay.stderr.line(/"listening"/)) ?? []
    relay.child.kill('SIGHUP')
    await relay.stderr.line(/configuration read again/)
    writeFileSync(file, 'websocket: 127.0.0.1:0\n')
    relay.child.kill('SIGHUP')
    await relay.stderr.line(/the certificate for WebSocket stays until the relay starts again/)
    expect(await nameShownAt(Number(port))).toBe('first.test')
    expect(relay.stderr.all.filter((line) => line.includes('certificate for WebSocket'))).toHaveLength(1)
  })

  test('takes amounts of quotas from the file', async () => {
    const file = folder.write('quotas.yaml', 'quota: [totalDay=1k, atCap=refuse]\n')
    const relay = running('--config', file)
    const ticket = await relay.stdout.line(/./)
    await using early = await peerOf(alice, ticket)
    await expect(early.registered()).rejects.toThrow(/is used up/)
    writeFileSync(file, 'quota: [totalDay=1G, atCap=refuse]\n')
    relay.child.kill('SIGHUP')
    await relay.stderr.line(/configuration read again/)
    await using late = await peerOf(bob, ticket)
    await late.registered()
    expect(late.ticket).toContain('relay=')
  })

  test('does not begin with quotas or permits, of which nothing was counted', async () => {
    const file = folder.write('none.yaml', 'access: everyone\n')
    const relay = running('--config', file)
    await relay.stdout.line(/./)
    for (const began of ['quota: [totalDay=1G]\n', 'access: token\n']) {
      writeFileSync(file, began)
      relay.child.kill('SIGHUP')
      expect(await relay.stderr.line(/the configuration was not taken/)).toContain('begin when the relay starts')
    }
  })

  test('changes nothing when the file is wrong', async () => {
    const file = folder.write('wrong.yaml', `access: ids\nallow: [${alice.id}]\n`)
    const relay = running('--config', file)
    const ticket = await relay.stdout.line(/./)
    writeFileSync(file, 'access: nobody\n')
    relay.child.kill('SIGHUP')
    await relay.stderr.line(/the configuration was not taken: access/)
    await using peer = await peerOf(alice, ticket)
    await peer.registered()
    await using other = await peerOf(bob, ticket)
    await expect(other.registered()).rejects.toThrow(UNKNOWN)
  })
})
