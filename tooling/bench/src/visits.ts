/** In which order sessions are busy. */

export interface Visits {
  readonly count: number
  /** Of the session of each visit. */
  readonly indexes: Uint32Array
}

/** A linear congruential generator (Numerical Recipes): the same visits in every run. */
const [MULTIPLIER, INCREMENT] = [1_664_525, 1_013_904_223]

/** `count` visits to the first `sessions` of them, at random. */
export function visitsOf(sessions: number, count: number): Visits {
  const indexes = new Uint32Array(count)
  let state = 1
  for (let visit = 0; visit < count; visit++) {
    state = (Math.imul(state, MULTIPLIER) + INCREMENT) >>> 0
    // The upper bits are the random ones.
    indexes[visit] = Math.floor((state / 2 ** 32) * sessions)
  }
  return { count, indexes }
}
