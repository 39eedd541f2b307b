import { preset } from '@showchain-tooling/vitest'

// A quarter of its time it waits for processes: more of it than of any other package.
export default preset({ maxWorkers: 2 })
