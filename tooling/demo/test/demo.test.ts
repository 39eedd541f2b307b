/** The demo as a user starts it: real processes, everything it shows, and nothing left behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

const before = readdirSync(tmpdir())

interface Line {
  readonly event: 'step' | 'message' | 'note' | 'summary'
  readonly at?: number
  readonly section?: string
  readonly title?: string
  readonly from?: string
  readonly to?: string
  readonly op?: number
  readonly text?: string
  readonly ok?: boolean
  readonly rows?: readonly { readonly section: string; readonly result: string; readonly messages: number }[]
}

const running = new Set<ChildProcess>()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
})

function start(...args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** Processes of a demo, by what stands on their command line. */
const demoProcesses = (): readonly string[] =>
  readdirSync('/proc').flatMap((pid) => {
    if (!/^[0-9]+$/.test(pid)) return []
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      return /demo-peer\.js|orphan-guard\.js/.test(line) ? [`${pid} ${line}`] : []
    } catch {
      return [] // it ended in between
    }
  })
/** What an earlier run that was killed outright left is not ours. */
const keyFolders = (): readonly string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('showchain-demo-') && !before.includes(name))

describe('the demo with --json', () => {
  let lines: readonly Line[] = []
  let exitCode: number | null = null

  beforeAll(async () => {
    const child = start('--json')
    const read: Line[] = []
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) =>
      read.push(JSON.parse(line) as Line),
    )
    ;[exitCode] = (await once(child, 'close')) as [number | null]
    lines = read
  })

  interface Shown {
    readonly at: number
    /** `op from→to` */
    readonly what: string
  }
  const messagesOf = (step: number): readonly Shown[] => {
    const starts = lines.flatMap((line, index) => (line.event === 'step' ? [index] : []))
    const part = lines.slice(starts[step], starts[step + 1])
    return part.flatMap(({ event, op, from, to, at = 0 }) =>
      event === 'message' ? [{ at, what: `${op?.toString(16)} ${from}→${to}` }] : [],
    )
  }
  /**
   * Whether these were sent one after the other, by their senders' clocks: three processes report by three ways, and
   * what was sent first may be shown second.
   */
  const inOrder = (messages: readonly Shown[], expected: readonly string[]): boolean => {
    const left = [...messages].sort((a, b) => a.at - b.at)
    let since = 0
    return expected.every((what) => {
      const index = left.findIndex((message) => message.what === what && message.at >= since)
      since = left[index]?.at ?? since
      return index !== -1 && left.splice(index, 1).length === 1
    })
  }

  test('prints one JSON object a line, ends with a summary in which everything worked, and exits 0', () => {
    expect(exitCode).toBe(0)
    expect(lines.at(-1)).toMatchObject({ event: 'summary', ok: true })
    expect(lines.at(-1)?.rows?.map(({ section, result }) => `${section} ${result}`)).toEqual([
      '2 ok',
      '1 ok',
      '2 ok',
      '3 ok',
      '4 ok',
      '5 ok',
      '5 ok',
    ])
  })

  test('shows both registrations: challenge, cookie, binding', () => {
    for (const peer of ['alice', 'bob'])
      expect(
        inOrder(messagesOf(0), [`101 ${peer}→relay`, `1f1 relay→${peer}`, `101 ${peer}→relay`, `102 relay→${peer}`]),
      ).toBe(true)
  })

  test('shows keep-alives and their answers', () => {
    for (const peer of ['alice', 'bob'])
      expect(inOrder(messagesOf(1), [`100 ${peer}→relay`, `100 relay→${peer}`])).toBe(true)
  })

  test('shows a direct connect without the relay', () => {
    expect(inOrder(messagesOf(2), ['101 alice→bob', '1f1 bob→alice', '101 alice→bob', '102 bob→alice'])).toBe(true)
  })

  test('shows the introduction, the same address, and the path check both ways', () => {
    const messages = messagesOf(3)
    expect(inOrder(messages, ['111 alice→relay', '112 relay→bob', '114 bob→relay', '115 relay→alice'])).toBe(true)
    for (const message of ['113 relay→alice', '101 alice→bob', '102 bob→alice', '101 bob→alice', '102 alice→bob'])
      expect(messages.map(({ what }) => what)).toContain(message)
  })

  test('shows the proxy session and its first, empty message', () => {
    expect(
      inOrder(messagesOf(4), [
        '121 alice→relay',
        '122 relay→alice',
        '123 alice→relay',
        '124 relay→bob',
        '125 bob→relay',
        '125 relay→alice',
      ]),
    ).toBe(true)
  })

  test('moves a file of 1 MiB each way: as many messages as that takes, each acknowledged', () => {
    const rows = lines.at(-1)?.rows?.filter(({ section }) => section === '5') ?? []
    // 1 MiB in messages of at most 741 bytes with 8 of the transfer's own: 1,431, each 0x123, 0x124 and 0x125 twice.
    for (const { messages } of rows) expect(messages).toBeGreaterThanOrEqual(4 * 1431)
    expect(rows).toHaveLength(2)
  })

  test('leaves neither a process nor a key file behind', () => {
    expect(demoProcesses()).toEqual([])
    expect(keyFolders()).toEqual([])
  })
})

test('for people it prints who sends what to whom, and a table', async () => {
  const child = start()
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  await once(child, 'close')
  expect(text).toMatch(/alice → relay +\d+ B {2}punchRequest 0x111/)
  expect(text).toContain('All of it worked')
})

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s in the middle ends every process and removes the keys',
  async (signal) => {
    const child = start('--json')
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
    await once(lines, 'line')
    child.kill(signal)
    const [code] = (await once(child, 'close')) as [number | null]
    expect(code).toBe(signal === 'SIGINT' ? 130 : 143)
    expect(demoProcesses()).toEqual([])
    expect(keyFolders()).toEqual([])
  },
)

test('an unknown option is one clear line and exit code 2', async () => {
  const child = start('--jsn')
  let text = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  expect(code).toBe(2)
  expect(text.trim().split('\n')).toHaveLength(1)
})
