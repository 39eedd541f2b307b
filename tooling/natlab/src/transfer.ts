/** A file from one end to the other and back, line by line over a connection, and whether every byte came. */
import { createHash, randomBytes } from 'node:crypto'
import type { Program } from './program.ts'
import type { Pair } from './scenario.ts'

/** Each way. */
export const FILE_BYTES: number = 8 * 1024 * 1024
/** What fits into one message with its number, in base64. */
const CHUNK_BYTES = 516
/** Lines that were not echoed by then are said again, as an application does: messages are no stream. */
const AGAIN_MS = 4000
const LINES_AGAIN = 2000
const PATIENCE_MS = 180_000

export interface Disturbance {
  /** Share of the file that is echoed when it happens. */
  readonly at: number
  happen(): Promise<void> | void
}

/** @returns SHA-256 of what came. @throws Error when something did not come, or came altered */
export async function transfer(
  { caller, listener }: Pair,
  bytes: number,
  ...disturbances: readonly Disturbance[]
): Promise<string> {
  const file = randomBytes(bytes)
  const lines = linesOf(file)
  const [there, back] = [new Received(listener, lines.length), new Received(caller, lines.length)]
  const say = async (indices: Iterable<number>): Promise<void> => {
    for (const index of indices) if (!caller.type(lines[index] as string) && !(await caller.reads())) return
  }
  const again = setInterval(() => {
    if (back.stalled) void say(back.missing.slice(0, LINES_AGAIN))
  }, AGAIN_MS)
  const all = Promise.all([
    say(lines.keys()),
    back.whenHas(lines.length),
    ...disturbances.map(({ at, happen }) => back.whenHas(Math.floor(at * lines.length)).then(happen)),
  ])
  let deadline: NodeJS.Timeout | undefined
  const failed = new Promise<never>((_resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`${why}; ${back.missing.length} lines are missing`))
    deadline = setTimeout(() => fail(`waited ${PATIENCE_MS / 1000} s`), PATIENCE_MS)
    for (const program of [caller, listener])
      void program.ended.then((code) => fail(`${program.name} ended with ${code}`))
  })
  try {
    await Promise.race([all, failed])
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${caller.said()}\n${listener.said()}`)
  } finally {
    clearTimeout(deadline)
    clearInterval(again)
  }
  const hashes = [createHash('sha256').update(file).digest('hex'), there.hash(), back.hash()]
  if (new Set(hashes).size !== 1) throw new Error(`SHA-256 of the file, there, and back: ${hashes.join(', ')}`)
  return hashes[0] as string
}

function linesOf(file: Uint8Array): readonly string[] {
  const count = Math.ceil(file.length / CHUNK_BYTES)
  return Array.from({ length: count }, (_, index) => {
    const chunk = file.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES)
    return `${index} ${Buffer.from(chunk).toString('base64')}`
  })
}

/** What one end got, each line once. */
class Received {
  readonly #chunks: (Buffer | undefined)[]
  readonly #waiters: {
    readonly count: number
    readonly resolve: () => void
  }[] = []
  #count = 0
  #countBefore = 0

  constructor(program: Program, count: number) {
    this.#chunks = new Array<Buffer | undefined>(count).fill(undefined)
    program.on(({ event, text }) => {
      if (event === 'message') this.#take(String(text))
    })
  }

  get missing(): readonly number[] {
    return this.#chunks.flatMap((chunk, index) => (chunk === undefined ? [index] : []))
  }

  /** Whether nothing came since this was asked last. */
  get stalled(): boolean {
    const stalled = this.#count === this.#countBefore
    this.#countBefore = this.#count
    return stalled
  }

  whenHas(count: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#count >= count) resolve()
      else this.#waiters.push({ count, resolve })
    })
  }

  hash(): string {
    const hash = createHash('sha256')
    for (const chunk of this.#chunks) hash.update(chunk ?? '')
    return hash.digest('hex')
  }

  #take(text: string): void {
    const [index, data] = text.split(' ')
    // A line that was said again may come twice.
    if (this.#chunks[Number(index)] !== undefined) return
    this.#chunks[Number(index)] = Buffer.from(data ?? '', 'base64')
    this.#count++
    for (const waiter of this.#waiters) if (this.#count >= waiter.count) waiter.resolve()
  }
}
