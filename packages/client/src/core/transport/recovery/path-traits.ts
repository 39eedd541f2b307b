/** `gathered`: as few as possible, since each costs a signature. */
export type Acks = 'prompt' | 'gathered'

/** What a transport has to know of the path that its records take. */
export interface PathTraits {
  /** Bytes of a record that the path takes for sure. */
  readonly base: number
  /** Sizes that are tried, the largest first. */
  readonly larger: readonly number[]
  readonly acks: Acks
}
