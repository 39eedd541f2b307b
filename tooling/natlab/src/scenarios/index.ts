import type { Scenario } from '../scenario.ts'
import { PAIRS } from './pairs.ts'

export const SCENARIOS: readonly Scenario[] = [...PAIRS]
