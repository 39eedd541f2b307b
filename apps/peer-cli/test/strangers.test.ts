/** Who is let in when somebody at a terminal is asked. */
import { readFileSync } from 'node:fs'
import type { Connection } from '@showchain/client'
import { type PeerId, peerIdFromBytes } from '@showchain/wire'
import { Folder } from '@showchain-tooling/vitest/programs'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Contacts } from '../src/contacts.ts'
import { outputFor } from '../src/output.ts'
import { Strangers } from '../src/strangers.ts'

const idOf = (byte: number): PeerId => peerIdFromBytes(new Uint8Array(32).fill(byte))
const output = { ...outputFor({ json: true }), note: () => {} }

let folder: Folder
beforeEach(() => {
  folder = new Folder()
  vi.stubEnv('XDG_CONFIG_HOME', folder.path)
})
afterEach(() => {
  vi.unstubAllEnvs()
  folder.remove()
})

/** As far as a question needs one. */
function caller(byte: number) {
  const listeners = new Set<() => void>()
  const connection = {
    remoteId: idOf(byte),
    path: { kind: 'direct', remote: { ip: '192.0.2.7', port: 4000 } },
    end: undefined as object | undefined,
    closed: [] as unknown[],
    on: (_name: string, listener: () => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async (options: unknown) => {
      connection.closed.push(options)
    },
    leave: () => {
      connection.end = { by: 'remote' }
      for (const each of listeners) each()
    },
  }
  return connection
}
const admits = (strangers: Strangers, connection: object): Promise<boolean> =>
  strangers.admits(connection as unknown as Connection)

/** Somebody who answers so, one question after the other. */
function person(...answers: readonly string[]) {
  const questions: string[] = []
  const strangers = new Strangers(output, async (question) => {
    questions.push(question)
    return answers[questions.length - 1] ?? ''
  })
  return { questions, strangers }
}

test('the question says who it is, by id and address, and that no is the default', async () => {
  const { questions, strangers } = person('o')
  expect(await admits(strangers, caller(1))).toBe(true)
  expect(questions).toEqual([
    `${idOf(1).slice(0, 8)}… is no contact, and is connected directly, to 192.0.2.7 port 4000.\nLet it in: once, always, or no? [o/a/N] `,
  ])
})

test.each(['', 'n', 'no', 'y', 'x', 'on', 'oa', '\u001b[A'])(
  '%j lets nobody in, and closes the connection',
  async (answer) => {
    const connection = caller(1)
    expect(await admits(person(answer).strangers, connection)).toBe(false)
    expect(connection.closed).toEqual([{ code: 4, reason: 'not let in' }])
  },
)

test('who was let in once, or refused, is not asked about again in this run', async () => {
  const { questions, strangers } = person('once', 'n')
  const callers = [1, 1, 2, 2, 1].map(caller)
  const admitted = []
  for (const each of callers) admitted.push(await admits(strangers, each))
  expect(admitted).toEqual([true, true, false, false, true])
  expect(questions).toHaveLength(2)
  expect(new Contacts().all).toEqual([])
})

test('always makes a contact, with a name that can be one; contacts are not asked about', async () => {
  new Contacts().add('bob', idOf(2))
  const { questions, strangers } = person('a', 'bob', 'a b', 'alice')
  expect(await admits(strangers, caller(1))).toBe(true)
  expect(new Contacts().get('alice')).toEqual({ id: idOf(1) })
  expect(await admits(strangers, caller(2))).toBe(true)
  const later = person('n')
  expect([await admits(later.strangers, caller(1)), later.questions]).toEqual([true, []])
  expect(questions).toHaveLength(4)
})

test('always without a name is once', async () => {
  expect(await admits(person('always', '').strangers, caller(1))).toBe(true)
  expect(() => readFileSync(folder.file('showchain/contacts.json'))).toThrow('ENOENT')
})

test('one who leaves is asked about no longer, and an answer that comes later lets nobody in', async () => {
  const connection = caller(1)
  const strangers = new Strangers(output, (_question, signal) => {
    connection.leave()
    expect(signal.aborted).toBe(true)
    return Promise.resolve('o')
  })
  expect(await admits(strangers, connection)).toBe(false)
})

test('one question at a time, and few that wait for it', async () => {
  const open: ((answer: string) => void)[] = []
  const strangers = new Strangers(output, () => new Promise((resolve) => open.push(resolve)))
  const admitted = [1, 2, 3, 4, 5, 6].map((byte) => admits(strangers, caller(byte)))
  expect(await Promise.all(admitted.slice(4))).toEqual([false, false])
  expect(open).toHaveLength(1)
  for (let answered = 0; answered < 4; answered++) {
    await vi.waitFor(() => expect(open).toHaveLength(answered + 1))
    open[answered]?.('o')
  }
  expect(await Promise.all(admitted.slice(0, 4))).toEqual([true, true, true, true])
})

test('after many refusals nobody is asked about any more', async () => {
  const { questions, strangers } = person()
  for (let byte = 1; byte <= 30; byte++) expect(await admits(strangers, caller(byte))).toBe(false)
  expect(questions).toHaveLength(16)
})

test('without somebody to ask, --allow and the ticket alone decide', async () => {
  const connection = caller(1)
  expect(await admits(new Strangers(output, undefined), connection)).toBe(true)
  expect(Strangers.of(output, { allow: [idOf(2)] }).asks).toBe(false)
  expect(Strangers.of(output, {}).asks).toBe(false)
})
