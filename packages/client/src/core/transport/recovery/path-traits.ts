/**
 * How a path wants acknowledgements. `gathered`: as few as possible, since each costs a signature.
 */
export type Acks = 'prompt' | 'gathered'

/** What a transport has to know of the path that its records take. */
export interface PathTraits {
  /** Bytes of a record that every such path takes (BASE_PLPMTU of RFC 8899). */
  readonly base: number
  /** Larger sizes to probe for, the largest first. */
  readonly larger: readonly number[]
  /**
   * Whether the sizes between them are searched, too: nothing on the path is sent in fragments, so
   * that a probe that is too large is lost.
   */
  readonly search?: boolean | undefined
  readonly acks: Acks
}
