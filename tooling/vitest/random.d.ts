import type {} from 'vitest'

declare module 'vitest' {
  interface TaskMeta {
    /** Random inputs that a test tried. */
    inputs?: number
    /** What a skipped test needs that is not there, and how to get it. */
    missing?: string
  }
}

/**
 * The seed of every random choice that decides what a test tries: SHOWCHAIN_SEED, or always the
 * same.
 */
export declare const SEED: number

/**
 * So many runs in `npm test`; times SHOWCHAIN_RUNS where it is set. Also for a limit of time that
 * grows with them.
 */
export declare function runs(count: number): number
