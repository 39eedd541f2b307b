import { ALL_SEEDS, expectMatrix, SOME_SEEDS } from './matrix-expectations.ts'

expectMatrix(0.05, SOME_SEEDS)
expectMatrix(0.05, ALL_SEEDS, { tags: ['long'] })
