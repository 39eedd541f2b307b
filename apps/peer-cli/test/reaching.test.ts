/** No relay, and no remote peer, can be reached: which address it was, and what one can do about it. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { formatTicket, type PeerId, peerIdFromBytes } from '@showchain/wire'
import { needs } from '@showchain-tooling/vitest/needs'
import { Folder, Program } from '@showchain-tooling/vitest/programs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../bin/showchain.js', import.meta.url))
const idOf = (byte: number): PeerId => peerIdFromBytes(new Uint8Array(32).fill(byte))
const [PEER, RELAY] = [idOf(1), idOf(2)]

let folder: Folder
/** Where nothing answers. */
let silent: Socket
let port: number
beforeAll(async () => {
  folder = new Folder()
  silent = createSocket('udp4').bind(0, '127.0.0.1')
  await once(silent, 'listening')
  ;({ port } = silent.address())
})
afterAll(() => {
  silent.close()
  folder.remove()
})

const run = (...args: readonly string[]): ReturnType<Program['ended']> =>
  new Program(BIN, args, { XDG_CONFIG_HOME: folder.path }).ended()
const lastLine = async (...args: readonly string[]): Promise<string | undefined> => {
  const { code, stderr } = await run(...args)
  expect(code).toBe(3)
  return stderr.split('\n').at(-1)
}

const addressed = (id: PeerId, ...hosts: readonly string[]): string =>
  formatTicket({ id, relays: [], addresses: hosts.map((host) => ({ host, port })) })
const relayed = (host: string): string =>
  formatTicket({ id: PEER, relays: [{ id: RELAY, address: { host, port } }], addresses: [] })

describe('a relay that does not answer', () => {
  test.each([
    ['listen', '--ephemeral'],
    ['serve', '--ephemeral', 'tcp://127.0.0.1:22'],
    ['send', '--text', 'x'],
    ['receive', '--wait', '--yes'],
  ])('is named by its address, with what to look at: %s', async (...command) => {
    const relay = ['--host', '127.0.0.1', '--timeout', '1', '--relay', addressed(RELAY, '127.0.0.1')]
    const line = await lastLine(...command, ...relay)
    expect(line).toBe(
      `showchain: Timed out. Nothing answers at 127.0.0.1:${port}: see whether the relay runs, whether a firewall keeps UDP from it, and whether its ticket is still this one; \`showchain doctor\` looks closer.`,
    )
  })

  test('of a ticket too', async () => {
    const line = await lastLine('connect', '--lab', '--host', '127.0.0.1', '--timeout', '1', relayed('127.0.0.1'))
    expect(line).toBe(
      `showchain: Could not connect. Nothing answers at 127.0.0.1:${port}: the relay may be down, a firewall before it, or the ticket old.`,
    )
  })

  test('of the other IP family is not waited for', async () => {
    const line = await lastLine('listen', '--ephemeral', '--host', '127.0.0.1', '--relay', addressed(RELAY, '::1'))
    expect(line).toContain(
      `The relay at [::1]:${port} has IPv6 addresses only, and this host uses IPv4 only: both ends`,
    )
  })
})

describe('a remote peer', () => {
  test.each([
    ['127.0.0.1', [], '--lab', 'loopback, private and test networks'],
    ['127.0.0.1', ['--lan'], '--lab', 'loopback, private and test networks'],
    ['10.1.2.3', [], '--lan', 'private networks'],
  ])('at %s with %j needs %s, which is said', async (host, flags, flag, networks) => {
    const advice = `Without ${flag} nothing is sent to addresses of ${networks}: ${host}:${port}.`
    for (const ticket of [addressed(PEER, host), relayed(host)])
      expect(await lastLine('connect', ticket, ...flags, '--timeout', '1')).toContain(advice)
  })

  test.each([['ping'], ['stdio'], ['forward', '0'], ['receive', '--yes'], ['send', '--text', 'x', '--to']])(
    'that needs a flag makes every command say so: %s',
    async (...command) => {
      expect(await lastLine(...command, relayed('127.0.0.1'), '--timeout', '1')).toContain('Without --lab')
    },
  )

  test('at addresses that need flags is tried at the others', async () => {
    const ticket = addressed(PEER, '192.0.2.7', '127.0.0.1')
    const line = await lastLine('connect', ticket, '--timeout', '1')
    expect(line).toContain(`: 192.0.2.7:${port}, 127.0.0.1:${port}.`)
    expect(await lastLine('connect', ticket, '--lab', '--host', '127.0.0.1', '--timeout', '1')).not.toContain('Without')
  })

  test('of the other IP family alone', async () => {
    for (const ticket of [addressed(PEER, '::1'), relayed('::1')])
      expect(await lastLine('connect', '--lab', '--host', '127.0.0.1', ticket)).toContain(
        'What the ticket names has IPv6 addresses only, and this host uses IPv4 only',
      )
  })

  const isRoot = process.getuid?.() === 0
  test('of the other IP family by its name alone', needs(isRoot, 'not root: no hosts of its own'), async () => {
    const name = 'six.example'
    const hosts = folder.write('hosts', `::1 ${name}\n`)
    // In its own mount namespace, which ends with it.
    const lastLine = async (line: string): Promise<string | undefined> => {
      const named = `mount --bind ${hosts} /etc/hosts && exec ${process.execPath} ${BIN} ${line}`
      const { stderr } = await Program.shell(`exec unshare -m sh -c "${named}"`, {
        XDG_CONFIG_HOME: folder.path,
      }).ended()
      return stderr.split('\n').at(-1)
    }
    for (const ticket of [addressed(PEER, name), relayed(name)])
      expect(await lastLine(`connect --lab --host 127.0.0.1 '${ticket}'`)).toContain(
        'What the ticket names has IPv6 addresses only, and this host uses IPv4 only',
      )
    const relay = `--host 127.0.0.1 --timeout 1 --relay '${addressed(RELAY, name)}'`
    expect(await lastLine(`listen --ephemeral ${relay}`)).toContain(
      `${name} has IPv6 addresses only, and this host uses IPv4 only`,
    )
  })

  test('has its ways in the last event, whatever the words', async () => {
    const args = ['connect', '--json', '--lab', '--host', '127.0.0.1', '--timeout', '1', relayed('127.0.0.1')]
    const { stdout } = await run(...args)
    const event = JSON.parse(stdout.split('\n').at(-1) ?? '')
    expect(event).toMatchObject({ event: 'error', code: 'ERR_CONNECT_FAILED' })
    expect(event.tried.map(({ via }: { readonly via: string }) => via).sort()).toEqual(['punch', 'relay'])
  })
})
