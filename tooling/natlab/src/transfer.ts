/**
 * Transfers a file to the other peer and back, line by line, checks that every byte arrives once
 * and in order, and measures the longest gap.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Program } from './program.ts'
import { endPair, isOn, type Pair } from './scenario.ts'
import type { PathKind } from './simulated.ts'

export const MIB: number = 1024 * 1024

/** In each direction. */
export const FILE_BYTES: number = 8 * MIB
/** Bytes of the file in one line, before base64. */
const CHUNK_BYTES = 6 * 1024
const TIMEOUT_MS = 180_000

export interface Disturbance {
  /** Happens when this share of the file was echoed. */
  readonly at: number
  /** Settles when what was broken works again, or is gone for good. The gap counts from then. */
  happen(): Promise<void> | void
  /** Seconds that the gap may take. @default it is only measured */
  readonly most?: number | undefined
  /** Whether the gap counts from when it begins to happen. @default false */
  readonly whole?: boolean
  /** Settles when the pair has recovered: the transfer may end before that. */
  over?(): Promise<unknown>
}

/**
 * A transfer between a pair that uses this kind of path before the disturbance and after its
 * recovery. Ends both programs.
 *
 * @returns what was observed
 */
export async function transferOn(
  pair: Pair,
  path: PathKind,
  bytes: number,
  disturbance?: Disturbance,
): Promise<string> {
  const started = performance.now()
  const { hash, gap } = await transfer(pair, bytes, disturbance)
  const seconds = (performance.now() - started) / 1000
  if (gap / 1000 > (disturbance?.most ?? Number.POSITIVE_INFINITY))
    throw new Error(`nothing came for ${(gap / 1000).toFixed(2)} s`)
  await disturbance?.over?.()
  await settled(pair, path)
  const paths = pair.caller.events.filter(({ event }) => event === 'path').length
  await endPair(pair)
  return [
    `${path}, as simulated, after ${paths} path changes`,
    ...(disturbance === undefined ? [] : [`longest gap ${(gap / 1000).toFixed(2)} s`]),
    `${bytes / MIB} MiB each way, SHA-256 ${hash.slice(0, 8)}… at both peers`,
    `${((2 * bytes) / MIB / seconds).toFixed(1)} MiB/s`,
  ].join('; ')
}

/** Waits until both peers use this kind of path, or use it again. */
async function settled({ caller, listener }: Pair, path: PathKind): Promise<void> {
  const other = path === 'direct' ? 'relay' : 'direct'
  for (const program of [caller, listener])
    if (program.events.findLastIndex(isOn(other)) > program.events.findLastIndex(isOn(path)))
      await program.next(`its path is ${path} again`, isOn(path))
}

/**
 * @returns SHA-256 of the file, and for how many ms at most a peer received no line after the
 * disturbance.
 * @throws Error when a line is missing, repeated, reordered or altered
 */
async function transfer(
  { caller, listener }: Pair,
  bytes: number,
  disturbance?: Disturbance,
): Promise<{ readonly hash: string; readonly gap: number }> {
  const file = randomBytes(bytes)
  const lines = linesOf(file)
  const [there, back] = [new Received(listener, lines.length), new Received(caller, lines.length)]
  const send = async (indices: Iterable<number>): Promise<void> => {
    for (const index of indices) if (!caller.writeLine(lines[index] as string) && !(await caller.drained())) return
  }
  const measure = (): void => {
    for (const received of [there, back]) received.measure()
  }
  const disturb = async ({ at, whole = false, happen }: Disturbance): Promise<void> => {
    await back.whenHas(Math.floor(at * lines.length))
    if (whole) measure()
    await happen()
    if (!whole) measure()
  }
  const all = Promise.all([
    send(lines.keys()),
    there.whenHas(lines.length),
    back.whenHas(lines.length),
    disturbance && disturb(disturbance),
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
  return { hash: hashes[0] as string, gap: Math.max(there.gap, back.gap) }
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
  /** The longest time without a line since `measure`, in ms. */
  gap = 0
  #last = Number.POSITIVE_INFINITY

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

  measure(): void {
    this.#last = performance.now()
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
    const now = performance.now()
    this.gap = Math.max(this.gap, now - this.#last)
    if (this.#last <= now) this.#last = now
    for (const waiter of this.#waiters) if (this.#count >= waiter.count) waiter.resolve()
  }
}
