/** `showchain status`: real programs, asked at their sockets. */
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import type { Ended, Program } from '@showchain-tooling/vitest/programs'
import { beforeEach, describe, expect, test } from 'vitest'
import { EndingsBed } from './endings-bed.ts'

const bed = new EndingsBed()
const folder = (): string => bed.folder.file('runtime/showchain')
const socketOf = ({ child }: Program): string => join(folder(), `${child.pid}.sock`)

beforeEach(() => {
  rmSync(bed.folder.file('runtime'), { recursive: true, force: true })
  mkdirSync(bed.folder.file('runtime'), { mode: 0o700 })
})

const shell = (line: string): Program => bed.shell(`XDG_RUNTIME_DIR=$D/runtime exec $S ${line}`)
const status = (line = ''): Promise<Ended> => shell(`status ${line}`).ended()
const events = ({ stdout }: Ended): readonly object[] => stdout.split('\n').map((line) => JSON.parse(line) as object)

/** One that others can connect to, and its ticket. */
async function listener(): Promise<{ readonly program: Program; readonly ticket: string }> {
  const program = shell('listen --ephemeral $L')
  return { program, ticket: await program.stdout.line(/^showchain:/) }
}

/** Until it exists: nothing says when a program has made its socket, but its ticket comes later. */
async function connected(): Promise<{ readonly listening: Program; readonly caller: Program; readonly id: string }> {
  const { program, ticket } = await listener()
  const caller = shell(`connect $L --linger 60 '${ticket}'`)
  caller.type('hello')
  await program.stdout.line(/^hello/)
  return { listening: program, caller, id: /:([^?]+)/.exec(ticket)?.[1] as string }
}

test('each program that runs, its connections, their paths, bytes and round trips', async () => {
  const { listening, caller, id } = await connected()
  const { code, stdout } = await status()
  expect(code).toBe(0)
  const line = (role: string, { child }: Program): RegExp =>
    new RegExp(
      String.raw`^${role} {2}pid ${child.pid}, for \d+ s, as \S{8}…\n {2}\S{8}… directly, to 127\.0\.0\.1:\d+, round trip \d+\.\d ms, \d[\d.]* k?B\S* sent, \d[\d.]* k?B\S* received$`,
      'm',
    )
  expect(stdout.replaceAll('bytes', 'B')).toMatch(line('listen', listening))
  expect(stdout.replaceAll('bytes', 'B')).toMatch(line('connect', caller))
  const told = events(await status('--json'))
  expect(told.find((each) => 'pid' in each && each.pid === caller.child.pid)).toMatchObject({
    event: 'program',
    command: 'connect',
    connections: [{ peer: id, path: { kind: 'direct' }, sent: expect.any(Number), received: expect.any(Number) }],
    more: 0,
  })
  expect(told.at(-1)).toMatchObject({ event: 'end' })
})

test('when the permit for a relay ends, which a program says by itself when that is near', async () => {
  const relay = bed.shell('exec $R --identity $D/relay.pem --create-identity --listen 127.0.0.1:0 --access token')
  const plain = await relay.stdout.line(/^showchain:/)
  // 12 h 14 min 58 s: what is shown is the same for the next 58 s.
  const made = bed.shell(`exec $R token '${plain}' --identity $D/relay.pem --days 0.5104`)
  const program = shell(`listen --ephemeral --lab --relay '${await made.stdout.line(/^showchain:/)}'`)
  await program.stderr.line(/^relay at \S+ port \d+: the permit in its ticket ends in 12 h: ask /)
  expect((await status()).stdout).toMatch(/^ {2}relay at \S+: registered, its permit ends in 12 h 14 min$/m)
  const [told] = events(await status('--json'))
  expect(told).toMatchObject({ relays: [{ state: 'registered', permitUntil: expect.any(Number) }] })
})

test('a socket is for its user alone, and is gone with its program; where nothing runs, that is said', async () => {
  const { program } = await listener()
  expect(lstatSync(socketOf(program)).mode & 0o777).toBe(0o600)
  expect(lstatSync(folder()).mode & 0o777).toBe(0o700)
  program.child.kill('SIGTERM')
  await program.ended()
  expect(readdirSync(folder())).toEqual([])
  expect(await status()).toEqual({ code: 0, stdout: '', stderr: 'no showchain of this user runs on this host' })
})

test('what a killed program left is removed', async () => {
  const { program } = await listener()
  program.kill()
  await program.ended()
  expect(existsSync(socketOf(program))).toBe(true)
  expect((await status()).stdout).toBe('')
  expect(existsSync(socketOf(program))).toBe(false)
})

test('a folder that others may enter is not used, by neither', async () => {
  mkdirSync(folder())
  chmodSync(folder(), 0o755)
  const { program } = await listener()
  expect(existsSync(socketOf(program))).toBe(false)
  expect((await status()).stdout).toBe('')
})

test('one who asks and takes nothing, or talks, gets the program nowhere', async () => {
  const { program } = await listener()
  const asking = Array.from({ length: 20 }, () =>
    createConnection(socketOf(program))
      .on('error', () => {})
      .pause(),
  )
  for (const each of asking) each.write('x'.repeat(100_000))
  await Promise.all(asking.map((each) => new Promise((resolve) => each.once('close', resolve).resume())))
  expect((await status()).stdout).toMatch(/^listen /)
})

describe('what no program of this version says is left out:', () => {
  const answers = {
    'no JSON': 'hello',
    'another version': '{"version":2}',
    'an id that is none':
      '{"version":1,"pid":1,"command":"x","id":"y","seconds":1,"relays":[],"connections":[],"more":0}',
    'no end of it': '['.repeat(10_000_000),
  }
  test.each(Object.entries(answers))('%s', async (_what, answer) => {
    mkdirSync(folder(), { mode: 0o700 })
    writeFileSync(join(folder(), 'notes.txt'), '')
    const server = createServer((socket) => void socket.on('error', () => {}).end(answer))
    await new Promise<void>((resolve) => server.listen(join(folder(), '1.sock'), resolve))
    try {
      expect(await status()).toMatchObject({ code: 0, stdout: '' })
    } finally {
      server.close()
    }
  })

  test('control characters', async () => {
    mkdirSync(folder(), { mode: 0o700 })
    const id = 'A'.repeat(43)
    const told = { version: 1, pid: 1, command: '\u001b[2Jx', id, seconds: 1, relays: [], connections: [], more: 0 }
    const server = createServer((socket) => void socket.end(JSON.stringify(told)))
    await new Promise<void>((resolve) => server.listen(join(folder(), '1.sock'), resolve))
    try {
      const { stdout } = await status()
      expect(stdout).toContain('[2Jx')
      expect(stdout).not.toContain('\u001b')
    } finally {
      server.close()
    }
  })
})
