/** What `serve`, `forward` and `stdio` have in common: their arguments, and what they say of failures. */
import { ShowchainError } from '@showchain/wire'
import { UsageError } from './failures.ts'
import type { Output } from './output.ts'

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

/** Says a failure once, and again only after something went well: each connection may fail alike. */
export class Failures {
  readonly #output: Output
  #said: string | undefined

  constructor(output: Output) {
    this.#output = output
  }

  say(sentence: string, details: Readonly<Record<string, unknown>> = {}): void {
    if (sentence === this.#said) return
    this.#said = sentence
    this.#output.note('failed', sentence, details)
  }

  over(): void {
    this.#said = undefined
  }
}

/** A datagram was dropped. */
export const tooLarge = (output: Output, { bytes, most }: { readonly bytes: number; readonly most: number }): void =>
  output.note(
    'too-large',
    `dropped a datagram of ${bytes} bytes: the path takes ${most}; further ones are dropped silently`,
    {
      bytes,
      most,
    },
  )
