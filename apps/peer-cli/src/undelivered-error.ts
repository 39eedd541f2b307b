/** Not everything that was to be sent has arrived: exit code 1. */
export class UndeliveredError extends Error {
  override readonly name = 'UndeliveredError'
}
