/**
 * Transfers a file to the other peer and back, line by line, and checks that every byte arrives
 * once and in order.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Program } from './program.ts'
import type { Pair } from './scenario.ts'

/** In each direction. */
export const FILE_BYTES: number = 8 * 1024 * 1024
/** Bytes of the file in one line, before base64. */
const CHUNK_BYTES = 6 * 1024
const TIMEOUT_MS = 180_000

export interface Disturbance {
  /** Happens when this share of the file was echoed. */
  readonly at: number
  happen(): Promise<void> | void
}

/**
 * @returns SHA-256 of the file.
 * @throws Error when a line is missing, repeated, reordered or altered
 */
export async function transfer(
  { caller, listener }: Pair,
  bytes: number,
  ...disturbances: readonly Disturbance[]
): Promise<string> {
  const file = randomBytes(bytes)
  const lines = linesOf(file)
  const [there, back] = [new Received(listener, lines.length), new Received(caller, lines.length)]
  const send = async (indices: Iterable<number>): Promise<void> => {
    for (const index of indices) if (!caller.writeLine(lines[index] as string) && !(await caller.drained())) return
  }
  const all = Promise.all([
    send(lines.keys()),
    there.whenHas(lines.length),
    back.whenHas(lines.length),
    ...disturbances.map(({ at, happen }) => back.whenHas(Math.floor(at * lines.length)).then(happen)),
  ])
  let deadline: NodeJS.Timeout | undefined
  const failed = new Promise<never>((_resolve, reject) => {
    const fail = (why: string): void => reject(new Error(`${why}; ${back.missing.length} lines are missing`))
    deadline = setTimeout(() => fail(`timed out after ${TIMEOUT_MS / 1000} s`), TIMEOUT_MS)
    for (const program of [caller, listener])
      void program.ended.then((code) => fail(`${program.name} exited with ${code}`))
  })
  try {
    await Promise.race([all, failed])
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${caller.transcript()}\n${listener.transcript()}`)
  } finally {
    clearTimeout(deadline)
  }
  const wrong = there.wrong ?? back.wrong
  if (wrong !== undefined) throw new Error(wrong)
  const hashes = [createHash('sha256').update(file).digest('hex'), there.hash(), back.hash()]
  if (new Set(hashes).size !== 1)
    throw new Error(`SHA-256 of the file, at the listener and echoed: ${hashes.join(', ')}`)
  return hashes[0] as string
}

function linesOf(file: Uint8Array): readonly string[] {
  const count = Math.ceil(file.length / CHUNK_BYTES)
  return Array.from({ length: count }, (_, index) => {
    const chunk = file.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES)
    return `${index} ${Buffer.from(chunk).toString('base64')}`
  })
}

/** The lines that one peer received. */
class Received {
  readonly #chunks: (Buffer | undefined)[]
  readonly #waiters: {
    readonly count: number
    readonly resolve: () => void
  }[] = []
  #count = 0
  /** The first line that was repeated or out of order. */
  wrong: string | undefined

  constructor(program: Program, count: number) {
    this.#chunks = new Array<Buffer | undefined>(count).fill(undefined)
    program.on(({ event, text }) => {
      if (event === 'message') this.#take(String(text))
    })
  }

  get missing(): readonly number[] {
    return this.#chunks.flatMap((chunk, index) => (chunk === undefined ? [index] : []))
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
    if (Number(index) !== this.#count) this.wrong ??= `received line ${index} in place of line ${this.#count}`
    this.#chunks[Number(index)] = Buffer.from(data ?? '', 'base64')
    this.#count++
    for (const waiter of this.#waiters) if (this.#count >= waiter.count) waiter.resolve()
  }
}
