/** What `showchain` says to people and, with --json, to programs, when something cannot be. */
import { generateIdentity } from '@showchain/crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { EndingsBed } from './endings-bed.ts'

const bed = new EndingsBed()
/** Of no peer that is there. */
let absent = ''
beforeAll(async () => {
  absent = (await generateIdentity()).id
})

const eventsOf = (text: string): readonly Record<string, unknown>[] =>
  text.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)

describe('the last event of --json', () => {
  test('is the error, with its code and what was tried', async () => {
    const alice = bed.shell(`exec $S connect $L --json 'showchain:${absent}?addr=127.0.0.1:9' </dev/null`)
    const { code, stdout, stderr } = await alice.ended()
    expect([code, stderr]).toEqual([3, ''])
    expect(eventsOf(stdout).at(-1)).toMatchObject({
      event: 'error',
      code: 'ERR_CONNECT_FAILED',
      tried: [{ via: 'direct', at: '127.0.0.1:9', why: expect.stringContaining('no answer') }],
    })
  })

  test('is the error of a wrong command line too', async () => {
    const { code, stdout } = await bed.shell('exec $S connect --json --via pigeon showchain:x </dev/null').ended()
    expect([code, eventsOf(stdout)]).toEqual([2, [expect.objectContaining({ event: 'error', code: 'ERR_USAGE' })]])
  })

  test('is the end, with bytes, seconds and path; with --pipe on stderr', async () => {
    const bob = bed.shell('printf 12345 | $S listen --ephemeral $L --json --pipe')
    const { ticket } = JSON.parse(await bob.stderr.line(/"ticket"/)) as { readonly ticket: string }
    const alice = bed.shell(`printf 123 | $S connect $L --json --pipe '${ticket}'`)
    const [atAlice, atBob] = await Promise.all([alice.ended(), bob.ended()])
    expect([atAlice.stdout, atBob.stdout]).toEqual(['12345', '123'])
    const end = { event: 'end', seconds: expect.any(Number), path: expect.objectContaining({ kind: 'direct' }) }
    expect(eventsOf(atAlice.stderr).at(-1)).toEqual({ ...end, bytes: { sent: 3, received: 5 } })
    expect(eventsOf(atBob.stderr).at(-1)).toEqual({ ...end, bytes: { sent: 5, received: 3 } })
  })

  test('is an error when a signal came before the end', async () => {
    const bob = bed.shell('exec $S listen --ephemeral $L --json --pipe')
    await bob.stderr.line(/"ticket"/)
    bob.child.kill('SIGINT')
    const { code, stderr } = await bob.ended()
    expect([code, eventsOf(stderr).at(-1)]).toEqual([130, expect.objectContaining({ event: 'error', code: 'SIGINT' })])
  })
})

describe('a ticket that cannot work is explained', () => {
  test("when it is a relay's, and when the relay has another id", async () => {
    const relay = bed.shell('exec $R --identity $D/relay.pem --create-identity --listen 127.0.0.1:0')
    const ticket = await relay.stdout.line(/^showchain:/)
    const address = /addr=(.*)$/.exec(ticket)?.[1]
    const [atRelay, atStranger] = [
      bed.shell(`exec $S connect $L '${ticket}' </dev/null`),
      bed.shell(`exec $S listen --ephemeral $L --relay 'showchain:${absent}?addr=${address}' </dev/null`),
    ]
    expect(await atRelay.ended()).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('a relay answers there, not a peer'),
    })
    expect(await atStranger.ended()).toMatchObject({ code: 3, stderr: expect.stringContaining('another id') })
  })
})

test('a host that is no NAT is not said to be behind one', async () => {
  const relay = bed.shell('exec $R --identity $D/near.pem --create-identity --listen 127.0.0.1:0')
  const bob = bed.shell(`exec $S listen --ephemeral $L --relay '${await relay.stdout.line(/^showchain:/)}'`)
  expect(await bob.stderr.line(/\bNAT\b/)).toMatch(/^no NAT/)
})

describe('one identity', () => {
  test('serves one program at a time: a second one is told so, and a killed one leaves nothing in the way', async () => {
    await bed.shell('exec $S keygen --out $D/mine.pem').ended()
    const listen = 'exec $S listen --identity $D/mine.pem $L'
    const first = bed.shell(listen)
    await first.stdout.line(/^showchain:/)
    expect(await bed.shell(listen).ended()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/mine\.pem is in use by another showchain.*--ephemeral/),
    })
    first.child.kill('SIGKILL')
    await first.ended()
    await bed.shell(listen).stdout.line(/^showchain:/)
  })

  test('is not used by `connect` unless told: several run beside each other, without any identity', async () => {
    const bob = bed.shell('exec $S listen --ephemeral $L --json --echo')
    const { ticket } = JSON.parse(await bob.stdout.line(/"ticket"/)) as { readonly ticket: string }
    const callers = ['one', 'two'].map((text) => bed.shell(`echo ${text} | $S connect $L '${ticket}'`))
    expect(await Promise.all(callers.map((caller) => caller.ended()))).toMatchObject([
      { code: 0, stdout: 'one' },
      { code: 0, stdout: 'two' },
    ])
    expect(await bed.shell(`exec $S connect --as-me $L '${ticket}'`).ended()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('showchain keygen'),
    })
  })
})
