/** Arguments that a package reads, and says what is wrong with. */
import { ShowchainError } from '@showchain/wire'
import { UsageError } from './failures.ts'

/** An argument that is not valid is a wrong command line. @throws UsageError */
export async function argument<T>(read: () => T | Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof ShowchainError && error.code === 'ERR_BAD_ARGUMENT')
      throw new UsageError(error.detail ?? error.message)
    throw error
  }
}
