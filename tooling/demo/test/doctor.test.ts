/** `showchain doctor`: what it prints, and its exit code. What it finds is testkit's. */
import { expect, test } from 'vitest'
import { EndingsBed } from './endings-bed.ts'

const bed = new EndingsBed()

interface Event {
  readonly event: string
  readonly [name: string]: unknown
}

/** @param address of a relay. @returns its ticket, there */
async function relay(address: string, more = ''): Promise<string> {
  const program = bed.shell(`exec $R --identity $D/relay.pem --create-identity --listen ${address} ${more}`)
  return await program.stdout.line(/^showchain:/)
}

test('a line for each thing, and 0, when the relay registers this host', async () => {
  const ticket = await relay('127.0.0.1:0')
  const { code, stdout } = await bed.shell(`exec $S doctor --lab --relay '${ticket}'`).ended()
  const lines = stdout.split('\n')
  expect(lines).toContainEqual(expect.stringMatching(/^ok +UDP gets out/))
  expect(lines).toContainEqual(
    expect.stringMatching(/^ok +Relay \S+ registers this host: \S+ answers in \d+\.\d ms\.$/),
  )
  for (const line of lines) expect(line).toMatch(/^(?:ok {3}|BAD {2}|\? {4}| {5})\S/)
  expect(code).toBe(0)
})

test('1 when a relay does not register this host: --json has the same as data, and the error at the end', async () => {
  const ticket = (await relay('127.0.0.1:0')).replace(/:[^?]+/, `:${'A'.repeat(43)}`)
  const { code, stdout } = await bed.shell(`SHOWCHAIN_RELAY='${ticket}' exec $S doctor --lab --json`).ended()
  const events = stdout.split('\n').map((line) => JSON.parse(line) as Event)
  expect(events.find(({ check }) => check === 'relay')).toMatchObject({ event: 'finding', verdict: 'bad' })
  expect(events.at(-1)).toMatchObject({ event: 'error', code: 'ERR_UNHEALTHY' })
  expect(code).toBe(1)
})

test('a relay that serves only some is asked in the name of one of them by --identity', async () => {
  const plain = await relay('127.0.0.1:0', '--access token')
  const id = await bed.shell('exec $S keygen --out $D/me.pem').stdout.line(/./)
  const ticket = await bed.shell(`exec $R token '${plain}' --identity $D/relay.pem --id=${id}`).stdout.line(/./)
  const asked = (more = '') => bed.shell(`exec $S doctor --lab --relay '${ticket}' ${more}`).ended()
  const stranger = await asked()
  expect(stranger).toMatchObject({ code: 1, stderr: expect.stringContaining('--identity') })
  expect(stranger.stdout).toMatch(/^BAD .* does not register this host: the permit .* is for another id/m)
  expect(stranger.stdout).toMatch(/^ok .* permit in the ticket of relay \S+ holds for 29 days\.$/m)
  expect(await asked('--identity $D/me.pem')).toMatchObject({ code: 0 })
})
