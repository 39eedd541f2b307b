import { preset } from '@showchain-tooling/vitest'

// packs and installs for real
export default preset({ testTimeout: 120_000, hookTimeout: 120_000 })
