/** What the program of a relay knows of its being one of several. */

/** How a program knows that it is a worker; people do not write it. */
export const WORKER_ARGUMENT = 'worker'

/** A worker did not start, and has said why: this program ends with its exit code. */
export class WorkerFailed extends Error {
  override readonly name = 'WorkerFailed'
  readonly exitCode: number

  constructor(exitCode: number) {
    super('a worker did not start')
    this.exitCode = exitCode
  }
}
