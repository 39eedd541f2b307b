import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const WINDOWS = process.platform === 'win32'
const MAX_OUTPUT = 32 * 1024 * 1024

export interface Output {
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd: string
  /** Milliseconds. */
  readonly timeout?: number
}

/**
 * Runs a program to its end.
 * @throws Error that has the program's output in its message, unless it exits with 0
 */
export async function run(program: string, args: readonly string[], options: RunOptions): Promise<Output> {
  const shell = WINDOWS && program !== process.execPath
  return await promisify(execFile)(program, [...args], { ...options, shell, maxBuffer: MAX_OUTPUT }).catch(
    (error: Error & Partial<Output>) => {
      const output = [error.stdout, error.stderr].map((text) => text?.trim()).filter(Boolean)
      throw new Error([`${program} ${args.join(' ')} failed`, ...output].join('\n'), { cause: error })
    },
  )
}

/** Runs Node. */
export const node = (args: readonly string[], options: RunOptions): Promise<Output> =>
  run(process.execPath, args, options)
