import { expectMatrix } from './matrix-expectations.ts'

expectMatrix(0)
