// What decides the random choices of all tests. Without these variables every run is the same run; `pnpm fuzz` sets them.
const whole = (name, otherwise) => {
  const text = process.env[name]
  if (text === undefined || text === '') return otherwise
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} is a whole number, not "${text}".`)
  return value
}

export const SEED = whole('SHOWCHAIN_SEED', 1)
/** How many times as many runs as in `npm test`. */
const FACTOR = Math.max(1, whole('SHOWCHAIN_RUNS', 1))

export const runs = (count) => count * FACTOR
