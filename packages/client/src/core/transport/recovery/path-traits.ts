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
  readonly acks: Acks
}
