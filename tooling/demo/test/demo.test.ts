/** The demo as a user runs it: its processes, its output, and that it leaves nothing behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Folder } from '@showchain-tooling/vitest/programs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

interface Line {
  readonly event: 'process' | 'step' | 'message' | 'note' | 'summary'
  readonly name?: string
  readonly pid?: number
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

/** Folder of the demos' key files. */
let temporary: Folder
beforeAll(() => {
  temporary = new Folder()
})
afterAll(() => temporary.remove())

const running = new Set<ChildProcess>()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
})

function start(args: readonly string[] = [], environment: Readonly<Record<string, string>> = {}): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary.path, ...environment },
  })
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** The processes of a demo that are still running. */
const stillRunning = (lines: readonly Line[]): readonly number[] =>
  lines.flatMap(({ pid }) => {
    try {
      return pid !== undefined && process.kill(pid, 0) ? [pid] : []
    } catch {
      return []
    }
  })
const keyFolders = (): readonly string[] => readdirSync(temporary.path)

/** The lines of a demo with --json, as they arrive. */
function linesOf(child: ChildProcess): { readonly read: readonly Line[]; until(event: Line['event']): Promise<void> } {
  const read: Line[] = []
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  lines.on('line', (line) => read.push(JSON.parse(line) as Line))
  return {
    read,
    async until(event) {
      while (!read.some((line) => line.event === event)) await once(lines, 'line')
    },
  }
}

describe('the demo with --json', () => {
  let lines: readonly Line[] = []
  let exitCode: number | null = null

  beforeAll(async () => {
    const child = start(['--json'])
    const { read } = linesOf(child)
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
   * Whether these were sent in this order, by the clocks of their senders: reports of different
   * processes arrive in any order.
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

  test('prints one JSON object a line, ends with a summary of successful steps, and exits with 0', () => {
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
      'ext ok',
    ])
  })

  test('shows the challenge and the cookie of each registration', () => {
    for (const peer of ['alice', 'bob'])
      expect(
        inOrder(messagesOf(0), [`101 ${peer}→relay`, `1f1 relay→${peer}`, `101 ${peer}→relay`, `102 relay→${peer}`]),
      ).toBe(true)
  })

  test('shows keep-alives and their answers', () => {
    for (const peer of ['alice', 'bob'])
      expect(inOrder(messagesOf(1), [`100 ${peer}→relay`, `100 relay→${peer}`])).toBe(true)
  })

  test('shows a direct connect that the relay takes no part in', () => {
    expect(inOrder(messagesOf(2), ['101 alice→bob', '1f1 bob→alice', '101 alice→bob', '102 bob→alice'])).toBe(true)
  })

  test('shows the rendezvous, the 0x113 for a shared public address, and the path check in both directions', () => {
    const messages = messagesOf(3)
    expect(inOrder(messages, ['111 alice→relay', '112 relay→bob', '114 bob→relay', '115 relay→alice'])).toBe(true)
    for (const message of ['113 relay→alice', '101 alice→bob', '102 bob→alice', '101 bob→alice', '102 alice→bob'])
      expect(messages.map(({ what }) => what)).toContain(message)
  })

  test('shows the proxy session and the empty message that opens it', () => {
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

  test('transfers 1 MiB each way in acknowledged messages', () => {
    const rows = lines.at(-1)?.rows?.filter(({ section }) => section === '5') ?? []
    // 1 MiB in messages of at most 741 bytes with 8 of the transfer's own: 1,431, each 0x123, 0x124
    // and 0x125 twice.
    for (const { messages } of rows) expect(messages).toBeGreaterThanOrEqual(4 * 1431)
    expect(rows).toHaveLength(2)
  })

  test('leaves neither a process nor a key file behind', () => {
    expect(lines.flatMap(({ name }) => name ?? [])).toEqual(['relay', 'alice', 'bob', 'carol', 'dave'])
    expect(stillRunning(lines)).toEqual([])
    expect(keyFolders()).toEqual([])
  })
})

test('prints the sender, the receiver and the kind of each message, and a table at the end, with sockets of node:dgram', async () => {
  const child = start([], { SHOWCHAIN_UDP: 'dgram' })
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  await once(child, 'close')
  expect(text).toMatch(/alice → relay +\d+ B {2}punchRequest 0x111/)
  expect(text).toContain('All steps succeeded')
})

test.each([
  ['SIGINT', 'process', 130],
  ['SIGINT', 'step', 130],
  ['SIGTERM', 'message', 143],
] as const)('%s after the first %s ends every process and removes the keys', async (signal, event, exitCode) => {
  const child = start(['--json'])
  const { read, until } = linesOf(child)
  await until(event)
  child.kill(signal)
  expect(await once(child, 'close')).toEqual([exitCode, null])
  expect(stillRunning(read)).toEqual([])
  expect(keyFolders()).toEqual([])
})

test('ends every process and removes the keys when its stdout is closed', async () => {
  const child = start(['--json'])
  const { read, until } = linesOf(child)
  await until('message')
  child.stdout?.destroy()
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(stillRunning(read)).toEqual([])
  expect(keyFolders()).toEqual([])
})

test('its processes exit when it is killed by SIGKILL', async () => {
  const child = start(['--json'])
  const { read, until } = linesOf(child)
  await until('message')
  child.kill('SIGKILL')
  await once(child, 'exit')
  await expect.poll(() => stillRunning(read), { timeout: 20_000 }).toEqual([])
  for (const left of keyFolders()) rmSync(temporary.file(left), { recursive: true })
})

test('an unknown option gives one line on stderr and exit code 2', async () => {
  const child = start(['--jsn'])
  let text = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  expect(code).toBe(2)
  expect(text.trim().split('\n')).toHaveLength(1)
})
