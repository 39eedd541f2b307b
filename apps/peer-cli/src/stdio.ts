/** stdin and stdout as bytes, for pipes: stdout can be closed before the program ends. */
import { closeSync, createWriteStream, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import { devNull } from 'node:os'
import type { Writable } from 'node:stream'
import { isatty } from 'node:tty'
import { ClosedStdoutError, TransferError } from './failures.ts'

const STDIN = 0
const STDOUT = 1

export interface Sink {
  /**
   * Resolves when the system has taken the bytes.
   * @throws TransferError when stdout is closed, or its disk full
   */
  write(bytes: Uint8Array): Promise<void>
  /** Closes the file descriptor, so that what reads it comes to its end. */
  close(): Promise<void>
}

/** Not to be used beside `process.stdout`, which never closes. */
export function openStdout(): Sink {
  const stream = streamOf(STDOUT)
  let failure: Error | undefined
  stream.on('error', (error) => {
    failure = error
  })
  const settle = (act: (done: (error?: Error | null) => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      const done = (error?: Error | null): void => (error == null ? resolve() : reject(stdoutFailure(error)))
      if (failure === undefined) act(done)
      else done(failure)
    })
  return {
    write: (bytes) => settle((done) => void stream.write(bytes, done)),
    close: async () => {
      if (isatty(STDOUT)) return
      await settle((done) => void stream.end(done))
      // Node.js closes no standard descriptor by itself.
      if (stream instanceof Socket) stream.destroy()
      closeSync(STDOUT)
      // Takes the number, so that nothing else gets what is printed by mistake, and libraries can flush it.
      openSync(devNull, 'w')
    },
  }
}

function streamOf(fd: number): Writable {
  const file = fstatSync(fd)
  if (file.isFIFO() || file.isSocket()) return new Socket({ fd, readable: false, writable: true })
  return isatty(fd) ? process.stdout : createWriteStream('', { fd, autoClose: false })
}

/**
 * stdin, whose type Node.js does not know if it is a folder: it would be empty.
 * @throws TransferError
 */
export function openStdin(): NodeJS.ReadStream {
  if (fstatSync(STDIN).isDirectory()) throw new TransferError('stdin is a folder')
  return process.stdin
}

let failed: Error | undefined
let watched = false

/**
 * stdout for text, with its first failure kept: one without a listener would end the program with a
 * stack. Not to be used where `openStdout` is.
 */
export function textStdout(): NodeJS.WriteStream {
  if (!watched)
    process.stdout.on('error', (error) => {
      failed ??= error
    })
  watched = true
  return process.stdout
}

/**
 * Resolves when the system has taken the text.
 * @throws TransferError when stdout is closed, or its disk full
 */
export const print = (text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    textStdout().write(text, (error) => (error ? reject(stdoutFailure(error)) : resolve()))
  })

/** Rejects when stdout takes nothing any more, also when that was before. */
export const stdoutFailed = (): Promise<never> =>
  new Promise((_resolve, reject) => {
    textStdout().once('error', (error: Error) => reject(stdoutFailure(error)))
    if (failed !== undefined) reject(stdoutFailure(failed))
  })

/** What became of stdout, in one sentence. */
export function stdoutFailure(error: Error): TransferError {
  const closed = 'code' in error && error.code === 'EPIPE'
  return closed ? new ClosedStdoutError() : new TransferError(`stdout: ${error.message}`)
}

let erase: (() => void) | undefined

/** What is drawn on the last line of the terminal: erased before something is printed above it. */
export function drawOnStderr(eraser: (() => void) | undefined): void {
  erase = eraser
}

/** A line for people. */
export function say(line: string): void {
  erase?.()
  process.stderr.write(`${line}\n`)
}

/**
 * stdin is left alone from now on. Closing what reads it is not enough: a pending read keeps the
 * process alive.
 */
export const destroyStdin = (): void => void process.stdin.destroy()
