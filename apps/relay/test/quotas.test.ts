/** What peers may send through a relay, as its operator says it: real process, real sockets. */
import { fileURLToPath } from 'node:url'
import { Peer, type RelayEvent } from '@showchain/client'
import { generateIdentity, type Identity } from '@showchain/crypto'
import { Folder, Program } from '@showchain-tooling/vitest/programs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

const BIN = fileURLToPath(new URL('../bin/showchain-relay.js', import.meta.url))
/** More than the quota, so that a sender is stopped. */
const MUCH = new Uint8Array(400_000)
const USED_UP = /is used up for today or this month/

let folder: Folder
let alice: Identity
let bob: Identity
const programs: Program[] = []
beforeAll(async () => {
  folder = new Folder()
  ;[alice, bob] = await Promise.all([generateIdentity(), generateIdentity()])
})
afterEach(() => {
  for (const program of programs.splice(0)) program.kill()
})
afterAll(() => folder.remove())

function running(...args: readonly string[]): Program {
  const own = ['--identity', folder.file('relay.pem'), '--create-identity', '--listen', '127.0.0.1:0']
  const program = new Program(BIN, [...own, '--log-format', 'json', '--log-level', 'debug', ...args])
  programs.push(program)
  return program
}

const peerOf = (identity: Identity, relay: string): Promise<Peer> =>
  Peer.open({ identity, relays: [relay], listen: [{ host: '127.0.0.1' }], addressPolicy: 'lab', policy: 'relay-only' })

/** Sends until the relay stops it. @returns what it said */
async function used(relay: Program): Promise<RelayEvent> {
  const ticket = await relay.stdout.line(/./)
  await using to = await peerOf(bob, ticket)
  await using from = await peerOf(alice, ticket)
  await Promise.all([to.registered(), from.registered()])
  const limited = new Promise<RelayEvent>((resolve) => {
    from.on('relay', (event) => event.state === 'limited' && resolve(event))
  })
  const connection = await from.connect(to.ticket, { via: 'relay-only' })
  const stream = await connection.openStream()
  stream.write(MUCH).catch(() => {})
  return await limited
}

describe('a quota', () => {
  test('stops who has used it up, who learns it in words and stays registered', async () => {
    const event = await used(running('--quota', 'idDay=200k'))
    expect(event).toMatchObject({ state: 'limited', reason: expect.stringMatching(USED_UP) })
  })

  test('is as used up as it was when the relay is killed and starts again', async () => {
    const args = ['--quota', 'totalDay=200k', 'atCap=refuse', '--usage', folder.file('usage')]
    const first = running(...args)
    expect(await used(first)).toMatchObject({ state: 'limited', reason: expect.stringMatching(USED_UP) })
    // What was used is written each second: by then it is within a frame of the quota.
    await first.stderr.line(/"total":(?:19[89]|200)\d{3},"msg":"usage kept"/)
    first.child.kill('SIGKILL')
    await first.ended()
    await using peer = await peerOf(alice, await running(...args).stdout.line(/./))
    await expect(peer.registered()).rejects.toThrow(USED_UP)
    const elsewhere = ['--quota', 'totalDay=200k', 'atCap=refuse', '--usage', folder.file('empty')]
    await using other = await peerOf(alice, await running(...elsewhere).stdout.line(/./))
    await other.registered()
    expect(other.ticket).toContain('relay=')
  })

  test('says so when what was used cannot be kept', async () => {
    const args = ['--quota', 'idDay=200k', '--usage', folder.write('file', 'no folder')]
    expect(await running(...args).ended()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/usage: .*cannot be used/),
    })
  })
})
