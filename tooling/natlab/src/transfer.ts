/** A file from one end to the other and back, line by line over a connection, and whether every byte came. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Program } from './program.ts'
import type { Pair } from './scenario.ts'

/** Each way. */
export const FILE_BYTES: number = 8 * 1024 * 1024
/** What fits into one message with its number, in base64. */
const CHUNK_BYTES = 516
/** Lines that were not echoed by then are said again, as an application does: messages are no stream. */
const AGAIN_MS = 4000
const PATIENCE_MS = 300_000

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
  const deadline = setTimeout(() => back.fail(`${back.missing.length} lines are missing`), PATIENCE_MS)
  const happening = disturbances.map(async ({ at, happen }) => {
    await back.whenHas(Math.floor(at * lines.length))
    await happen()
  })
  await say(caller, lines)
  const again = setInterval(() => {
    if (back.stalled)
      void say(
        caller,
        back.missing.slice(0, 2000).map((index) => lines[index] as string),
      )
  }, AGAIN_MS)
  try {
    await back.whenHas(lines.length)
    await Promise.all(happening)
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

async function say(program: Program, lines: readonly string[]): Promise<void> {
  const { stdin } = program.child
  for (const line of lines) if (!program.type(line) && stdin !== null) await once(stdin, 'drain')
}

/** What one end got, each line once. */
class Received {
  readonly #chunks: (Buffer | undefined)[]
  readonly #waiters: {
    readonly count: number
    readonly resolve: () => void
    readonly reject: (error: Error) => void
  }[] = []
  #count = 0
  #countBefore = 0

  constructor(program: Program, count: number) {
    this.#chunks = new Array<Buffer | undefined>(count).fill(undefined)
    program.on(({ event, text }) => {
      if (event === 'message') this.#take(String(text))
    })
    void program.ended.then((code) => this.fail(`${program.name} ended with ${code}`))
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
    return new Promise((resolve, reject) => {
      if (this.#count >= count) resolve()
      else this.#waiters.push({ count, resolve, reject })
    })
  }

  fail(why: string): void {
    for (const { reject } of this.#waiters.splice(0)) reject(new Error(why))
  }

  hash(): string {
    const hash = createHash('sha256')
    for (const chunk of this.#chunks) hash.update(chunk ?? '')
    return hash.digest('hex')
  }

  #take(text: string): void {
    const [index, data] = text.split(' ')
    const known = this.#chunks[Number(index)]
    const chunk = Buffer.from(data ?? '', 'base64')
    if (known !== undefined) {
      if (!known.equals(chunk)) this.fail(`line ${index} came twice, and differs`)
      return
    }
    this.#chunks[Number(index)] = chunk
    this.#count++
    for (const waiter of this.#waiters) if (this.#count >= waiter.count) waiter.resolve()
  }
}
