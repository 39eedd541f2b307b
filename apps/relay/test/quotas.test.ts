/** What peers may send through a relay, as its operator says it: real process, real sockets. */
import type { RelayEvent } from '@showchain/client'
import { generateIdentity, type Identity } from '@showchain/crypto'
import type { Program } from '@showchain-tooling/vitest/programs'
import { beforeAll, describe, expect, test } from 'vitest'
import { peerOf, relayLab, sendUntilLimited } from './relay-lab.ts'

const USED_UP = /is used up for today or this month/

const { folder, running: runningWith } = relayLab()
let alice: Identity
let bob: Identity
beforeAll(async () => {
  ;[alice, bob] = await Promise.all([generateIdentity(), generateIdentity()])
})

const running = (...args: readonly string[]): Program => runningWith('--log-level', 'debug', ...args)

/** Sends until the relay stops it. @returns what it said */
async function used(relay: Program): Promise<RelayEvent> {
  const ticket = await relay.stdout.line(/./)
  await using to = await peerOf(bob, ticket, 'relay-only')
  await using from = await peerOf(alice, ticket, 'relay-only')
  await Promise.all([to.registered(), from.registered()])
  return await sendUntilLimited(from, to)
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
