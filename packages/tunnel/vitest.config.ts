import { preset } from '@showchain-tooling/vitest'

export default preset()
