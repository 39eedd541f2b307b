/** Some lines were not delivered: exit code 1. */
export class UndeliveredError extends Error {
  override readonly name = 'UndeliveredError'
}
