/**
 * Processes of the benchmark that answer one request at a time, and end with the one that started
 * them.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

type Answer = { readonly result: unknown } | { readonly error: string }

export class Child {
  readonly #process: ChildProcess

  /** @param file a built sibling of this file that calls `serve`. */
  constructor(file: string, nodeOptions: readonly string[] = []) {
    this.#process = fork(new URL(file, import.meta.url), {
      serialization: 'advanced',
      execArgv: [...process.execArgv, ...nodeOptions],
    })
  }

  get pid(): number {
    return this.#process.pid as number
  }

  async ask<Result>(request: unknown): Promise<Result> {
    const ended = new AbortController()
    const gone = (): void => ended.abort(new Error('A process of the benchmark ended early.'))
    this.#process.once('exit', gone)
    try {
      const answered = once(this.#process, 'message', { signal: ended.signal })
      this.#process.send(request as object)
      const [answer] = (await answered) as [Answer]
      if ('error' in answer) throw new Error(answer.error)
      return answer.result as Result
    } finally {
      this.#process.off('exit', gone)
    }
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.disconnect()
    await exited
  }
}

/** Answers the requests of the process that started this one. */
export function serve<Request>(answer: (request: Request) => unknown): void {
  process.on('disconnect', () => process.exit())
  process.on('message', async (request: Request) => {
    try {
      process.send?.({ result: await answer(request) } satisfies Answer)
    } catch (error) {
      process.send?.({ error: (error as Error).stack ?? String(error) } satisfies Answer)
    }
  })
}
