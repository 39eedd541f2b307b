/** Each example as two programs on loopback. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Folder, Program } from '@showchain-tooling/vitest/programs'
import { afterEach, expect, test } from 'vitest'

const FOLDER = fileURLToPath(new URL('..', import.meta.url))
const running: Program[] = []

function start(example: string, ...args: readonly string[]): Program {
  const program = new Program(`${FOLDER}${example}.mjs`, args)
  running.push(program)
  return program
}

/** A program that waits, and its ticket. */
async function waiting(example: string, ...args: readonly string[]): Promise<readonly [Program, string]> {
  const program = start(example, ...args)
  return [program, await program.stdout.line(/^showchain:/)]
}

afterEach(() => {
  for (const program of running.splice(0)) program.kill()
})

test('echo: what goes in comes out, and the program ends', async () => {
  const [, ticket] = await waiting('echo')
  const asking = start('echo', ticket)
  asking.type('hello')
  asking.type('world')
  asking.child.stdin?.end()
  expect(await asking.ended()).toEqual({ code: 0, stdout: 'hello\nworld', stderr: '' })
})

test('chat: everybody in the room reads everybody, and what is not text stays off the terminal', async () => {
  const [room, ticket] = await waiting('chat', 'Rita')
  const [alice, bob] = [start('chat', 'Alice', ticket), start('chat', 'Bob', ticket)]
  // Who enters later has not heard what was said before.
  await Promise.all([room.stdout.line(/^Alice is here$/), room.stdout.line(/^Bob is here$/)])
  alice.type('hello \u001b[2J')
  await Promise.all([room, bob].map(({ stdout }) => stdout.line(/^Alice: hello \?\[2J$/)))
  room.type('welcome')
  await Promise.all([alice, bob].map(({ stdout }) => stdout.line(/^Rita: welcome$/)))
  bob.child.stdin?.end()
  expect((await bob.ended()).code).toBe(0)
  room.child.stdin?.end()
  await alice.stdout.line(/^closed by the remote peer$/)
  expect([(await room.ended()).code, (await alice.ended()).code]).toEqual([0, 0])
})

test('drop: files come into the folder', async () => {
  const [from, into] = [new Folder(), new Folder()]
  try {
    const [drop, ticket] = await waiting('drop', into.path)
    const sending = start('drop', ticket, from.write('one.txt', 'first'), from.write('two.txt', 'second'))
    expect(await sending.ended()).toEqual({ code: 0, stdout: 'sent', stderr: '' })
    await drop.stdout.line(/^received$/)
    expect(['one.txt', 'two.txt'].map((name) => readFileSync(into.file(name), 'utf8'))).toEqual(['first', 'second'])
  } finally {
    for (const folder of [from, into]) folder.remove()
  }
})

test('game: each player sees the other move', async () => {
  const [host, ticket] = await waiting('game', 'Ada')
  const guest = start('game', 'Bea', ticket)
  await Promise.all([host.stdout.line(/^Ada sees the other at/), guest.stdout.line(/^Bea sees the other at/)])
  await host.stdout.line(/^Ada: the other has left after tick/)
  expect((await guest.ended()).code).toBe(0)
})

test('http: a request over a stream is answered', async () => {
  const [, ticket] = await waiting('http')
  expect(await start('http', ticket, '/path?query').ended()).toEqual({
    ...{ code: 0, stdout: '200\nGET /path?query', stderr: '' },
  })
})

test.each(readdirSync(FOLDER).filter((name) => name.endsWith('.mjs')))('%s has less than 60 lines', (name) => {
  expect(readFileSync(`${FOLDER}${name}`, 'utf8').split('\n').length).toBeLessThan(60)
})
