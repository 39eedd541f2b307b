/** Questions and answers between the processes of one relay. */
import { expect, test } from 'vitest'
import { type Channel, Line } from '../src/workers/line.ts'

/** What a worker may ask, and what it may be told. */
interface Theirs {
  read(): readonly number[]
}

test('what an answer leads to is done before what came together with it, and was said later', async () => {
  const sent: object[] = []
  const channel: Channel = { connected: true, send: (message) => void sent.push(message) }
  const line = new Line<Theirs>(channel)
  const done: string[] = []
  const told = new Promise<void>((resolve) => {
    line.offer({
      used: (bytes: number) => {
        done.push(`told ${bytes}`)
        resolve()
      },
    })
  })
  // As long a way as an answer about what a peer has used takes.
  const known = (async () => await line.ask('read'))().then(([bytes]) => done.push(`knows ${bytes}`))
  line.received({ number: 0, answer: [1] })
  line.received({ name: 'used', values: [2] })
  await Promise.all([known, told])
  expect([sent, done]).toEqual([[{ number: 0, name: 'read', values: [] }], ['knows 1', 'told 2']])
})
