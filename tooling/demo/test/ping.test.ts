/** `showchain ping`: what it prints, and the exit code that says which path there is. */
import type { Program } from '@showchain-tooling/vitest/programs'
import { describe, expect, test } from 'vitest'
import { EndingsBed } from './endings-bed.ts'

const bed = new EndingsBed()

/** A listener with a relay, and the ticket of both. */
async function listener(): Promise<{ readonly program: Program; readonly ticket: string }> {
  const relay = bed.shell('exec $R --identity $D/relay.pem --create-identity --listen 127.0.0.1:0')
  const program = bed.shell(`exec $S listen --ephemeral $L --relay '${await relay.stdout.line(/^showchain:/)}'`)
  return { program, ticket: await program.stdout.line(/^showchain:/) }
}

const ping = (ticket: string, options: string): Program => bed.shell(`exec $S ping $L ${options} '${ticket}'`)

interface Event {
  readonly event: string
  readonly [name: string]: unknown
}

const eventsOf = (stdout: string): readonly Event[] => stdout.split('\n').map((line) => JSON.parse(line) as Event)

/** What a round trip takes, in milliseconds. */
const MS = String.raw`\d+\.\d ms`

describe('ping', () => {
  test('ends with 0 when the path is direct, and tells each round trip, the loss and when that was', async () => {
    const { ticket } = await listener()
    const { code, stdout } = await ping(ticket, '-c 2 --via direct').ended()
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(`^1: ${MS} directly, to 127\\.0\\.0\\.1 port \\d+$`),
      expect.stringMatching(`^2: ${MS} directly, to 127\\.0\\.0\\.1 port \\d+$`),
      '2 pings, 2 answered, 0 % lost',
      expect.stringMatching(`^directly: ${MS} at least, ${MS} on average, ${MS} at most$`),
      'direct from the beginning',
    ])
    expect(code).toBe(0)
  })

  test('ends with 4 when a relay answers, and says why the path is not direct', async () => {
    const { ticket } = await listener()
    const { code, stdout, stderr } = await ping(ticket, '-c 1 --via relay-only').ended()
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(`^1: ${MS} through the relay at 127\\.0\\.0\\.1 port \\d+$`),
      '1 ping, 1 answered, 0 % lost',
      expect.stringMatching(`^through the relay: ${MS} at least, `),
    ])
    expect(stderr.split('\n').at(-1)).toBe('showchain: no direct path: only the relay was asked for')
    expect(code).toBe(4)
  })

  test('ends with the first direct answer where it is told so; --json says the same as data', async () => {
    const { ticket } = await listener()
    const { code, stdout } = await ping(ticket, '--until-direct --json').ended()
    const pings = eventsOf(stdout).filter(({ event }) => event === 'ping')
    const summary = eventsOf(stdout).find(({ event }) => event === 'pings')
    expect(pings.at(-1)).toMatchObject({ seq: pings.length, rtt: expect.any(Number), path: { kind: 'direct' } })
    for (const { path } of pings.slice(0, -1)) expect(path).toMatchObject({ kind: 'relay' })
    expect(summary).toMatchObject({ sent: pings.length, answered: pings.length, lost: 0 })
    expect(summary).toMatchObject({ directAfter: expect.any(Number) })
    expect(eventsOf(stdout).at(-1)).toMatchObject({ event: 'end', path: { kind: 'direct' } })
    expect(code).toBe(0)
  })

  test('ends with 3 when nobody is there, and when the one that answered is gone', async () => {
    const { program, ticket } = await listener()
    const lasting = ping(ticket, '-c 100 --dead-after 6')
    await lasting.stdout.line(/^1: /)
    program.kill()
    const { code, stdout, stderr } = await lasting.ended()
    expect(stdout).toMatch(/no answer before the end of the connection|no answer in 3 s/)
    expect(stderr).toMatch(/showchain: the connection ended: nothing came from the remote peer/)
    expect(code).toBe(3)
    const absent = await ping(ticket, '-c 1 --timeout 2').ended()
    expect(absent).toMatchObject({ code: 3, stderr: expect.stringMatching(/showchain: Could not connect/) })
  })

  test.each([
    ['-c 0', /--count is a whole number from 1/],
    ['--plaintext', /remove --plaintext/],
    ['--via pigeon', /--via is one of/],
  ])('refuses %s with exit code 2', async (options, why) => {
    const id = 'A'.repeat(43)
    expect(await ping(`showchain:${id}?addr=127.0.0.1:9`, options).ended()).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(why),
    })
  })
})
