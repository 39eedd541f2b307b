/** Asks somebody at a terminal. What the question has of the other end is printable already. */
import { createInterface } from 'node:readline'

/** Whether somebody is there to be asked: stdin and stderr are a terminal. */
export const canAsk = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true

/** One line; empty at the end of the input (Ctrl-D), and when the signal comes first. */
export function ask(question: string, signal?: AbortSignal): Promise<string> {
  // Not `terminal`: then Ctrl-C is a signal as everywhere else.
  const lines = createInterface({ input: process.stdin, terminal: false })
  process.stderr.write(question)
  const stop = (): void => {
    process.stderr.write('\n')
    lines.close()
  }
  signal?.addEventListener('abort', stop, { once: true })
  return new Promise((resolve) => {
    lines.once('line', resolve).once('close', () => resolve(undefined))
  }).then((answer) => {
    // Nobody has ended the line of the question.
    if (answer === undefined && signal?.aborted !== true) process.stderr.write('\n')
    signal?.removeEventListener('abort', stop)
    lines.close()
    return (answer as string | undefined) ?? ''
  })
}

export const agrees = (answer: string): boolean => /^\s*y(es)?\s*$/i.test(answer)
