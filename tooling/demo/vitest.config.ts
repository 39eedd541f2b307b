import { preset } from '@showchain-tooling/vitest'

// Programs and terminals are mostly waited for.
export default preset({ maxWorkers: 2 })
