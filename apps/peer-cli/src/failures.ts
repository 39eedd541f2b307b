/**
 * Why a command failed, for its exit code and the last event of --json. Imports nothing: also what
 * only prints help needs it.
 */

/** A failure that is no bug: one line for people. */
export abstract class Failure extends Error {
  abstract readonly code: string
  abstract readonly exitCode: number
}

/** The command line is wrong. */
export class UsageError extends Failure {
  override readonly name = 'UsageError'
  readonly code = 'ERR_USAGE'
  readonly exitCode = 2
}

/** Something was not delivered, or not received to its end. */
export class TransferError extends Failure {
  override readonly name = 'TransferError'
  readonly code = 'ERR_INCOMPLETE'
  readonly exitCode = 1
}

/** What reads stdout has closed it. */
export class ClosedStdoutError extends TransferError {
  constructor() {
    super('stdout was closed by what reads it')
  }
}

/** The remote peer serves another connection. */
export class BusyError extends Failure {
  override readonly name = 'BusyError'
  readonly code = 'ERR_REMOTE_BUSY'
  readonly exitCode = 3
}

/** Somebody at the remote peer was asked, and said no. */
export class RefusedError extends Failure {
  override readonly name = 'RefusedError'
  readonly code = 'ERR_NOT_LET_IN'
  readonly exitCode = 3
}

/** The remote peer is there no more, or does not answer. */
export class UnreachableError extends Failure {
  override readonly name = 'UnreachableError'
  readonly code = 'ERR_UNREACHABLE'
  readonly exitCode = 3
}

/** The remote peer is reached through a relay only. */
export class NotDirectError extends Failure {
  override readonly name = 'NotDirectError'
  readonly code = 'ERR_NOT_DIRECT'
  readonly exitCode = 4
}

/** The doctor found that UDP does not get out, or a relay that does not register this host. */
export class UnhealthyError extends Failure {
  override readonly name = 'UnhealthyError'
  readonly code = 'ERR_UNHEALTHY'
  readonly exitCode = 1
}

/** A signal came, and something was not delivered or not received to its end. */
export class Interrupted extends Failure {
  override readonly name = 'Interrupted'
  readonly code: string
  readonly exitCode: number

  constructor(signal: string, exitCode: number) {
    super(`interrupted by ${signal}`)
    this.code = signal
    this.exitCode = exitCode
  }
}

/** The failure was printed. */
export class Reported extends Error {
  override readonly name = 'Reported'
  readonly exitCode: number

  constructor(exitCode: number) {
    super()
    this.exitCode = exitCode
  }
}
