import { expectPlaintextMatrix } from './matrix-expectations.ts'

expectPlaintextMatrix(0.05)
