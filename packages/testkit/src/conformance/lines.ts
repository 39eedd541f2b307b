/**
 * The line protocol, for implementations in other languages: one JSON request per line on standard
 * input, one JSON answer per line on standard output.
 *
 *   → {"id":1,"do":"decode","with":{"datagram":"b10100…","strict":false}}
 *   ← {"id":1,"result":{"op_code":256,"id":"…","seq":0,"ts":0}}      null: refused
 *   ← {"id":1,"unsupported":true}                                    the operation is skipped
 *   ← {"id":1,"error":"what went wrong"}                             the check has failed
 *
 * Requests are sent one at a time; the program exits at the end of standard input. README.md has
 * the
 * shapes of every operation's `with` and `result`.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { type Implementation, OPERATIONS, type Operation, type Operations } from './operations.ts'
import { ImplementationGone, UnsupportedOperation } from './run.ts'

export interface Request {
  readonly id: number
  readonly do: Operation
  readonly with: unknown
}
export interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly unsupported?: true
  readonly error?: string
}

/** Serves the line protocol with an implementation in JavaScript, until `input` ends. */
export async function serveConformance(
  implementation: Implementation,
  input: Readable,
  output: Writable,
): Promise<void> {
  for await (const line of createInterface({ input }))
    output.write(`${JSON.stringify(await answer(implementation, line))}\n`)
}

async function answer(implementation: Implementation, line: string): Promise<Answer> {
  const request = JSON.parse(line) as Request
  const { id } = request
  const operation = implementation[request.do] as ((input: unknown) => unknown) | undefined
  if (operation === undefined) return { id, unsupported: true }
  try {
    return { id, result: await operation(request.with) }
  } catch (error) {
    return { id, error: String(error) }
  }
}

/** A program that takes longer for an answer is killed. */
const ANSWER_MS = 10_000

/** An implementation in a process of its own. */
export class LineProcess implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #answers: AsyncIterator<string>
  readonly #exited: Promise<void>
  readonly #started: Promise<void>
  #lastId = 0

  constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#started = new Promise((resolve, reject) => {
      this.#child.once('spawn', resolve)
      this.#child.once('error', (cause) => reject(new ImplementationGone(`Cannot start ${command}: ${cause.message}`)))
    })
    // Every request reports it.
    this.#started.catch(() => undefined)
    this.#exited = new Promise((resolve) => this.#child.once('close', () => resolve()))
    // Writing to a program that has exited: the missing answer is reported instead.
    this.#child.stdin.on('error', () => undefined)
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  /** Its operations; each call sends a request. */
  get implementation(): Implementation {
    const ask = <Name extends Operation>(name: Name) =>
      [name, (input: Operations[Name]['input']) => this.#ask(name, input)] as const
    return Object.fromEntries(OPERATIONS.map((name) => ask(name))) as Implementation
  }

  /** Rejects with ImplementationGone when the program cannot be started. */
  async started(): Promise<void> {
    await this.#started
  }

  async #ask(operation: Operation, input: unknown): Promise<unknown> {
    await this.started()
    const id = ++this.#lastId
    const request: Request = { id, do: operation, with: input }
    this.#child.stdin.write(`${JSON.stringify(request)}\n`)
    const line = await this.#nextLine()
    const answer = JSON.parse(line) as Answer | null
    if (answer?.id !== id) throw new Error(`The answer has id ${answer?.id}, the request had ${id}.`)
    if (answer.unsupported === true) throw new UnsupportedOperation(operation)
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer.result ?? null
  }

  async #nextLine(): Promise<string> {
    let late = false
    const timeout = setTimeout(() => {
      late = true
      this.#child.kill()
    }, ANSWER_MS)
    try {
      const next = await this.#answers.next()
      if (next.done === true)
        throw new ImplementationGone(`The program ended without an answer${late ? ` within ${ANSWER_MS} ms` : ''}.`)
      return next.value
    } finally {
      clearTimeout(timeout)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end()
    const timeout = setTimeout(() => this.#child.kill(), ANSWER_MS)
    await this.#started.then(
      () => this.#exited,
      () => undefined,
    )
    clearTimeout(timeout)
  }
}
