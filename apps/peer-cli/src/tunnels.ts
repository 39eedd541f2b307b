/** What `serve`, `forward` and `stdio` have in common: what they say of failures. */
import type { Output } from './output.ts'

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
