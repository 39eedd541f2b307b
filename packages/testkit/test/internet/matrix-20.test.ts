import { ALL_SEEDS, expectMatrix, SOME_SEEDS } from './matrix-expectations.ts'

expectMatrix(0.2, SOME_SEEDS)
expectMatrix(0.2, ALL_SEEDS, { tags: ['long'] })
