/** What is said of options that are wrong: which key, and what is expected there. */
import { expect, test } from 'vitest'
import * as z from 'zod/mini'
import { parseOptions } from '../src/index.ts'

const schema = z.strictObject({
  count: z.optional(z.int().check(z.minimum(1), z.maximum(9))),
  share: z.optional(z.number().check(z.lt(1))),
  name: z.optional(z.string().check(z.maxLength(3))),
  all: z.optional(z.array(z.string()).check(z.minLength(2))),
  kind: z.optional(z.enum(['a', 'b'])),
  either: z.optional(z.union([z.string(), z.boolean()])),
  odd: z.optional(z.number().check(z.refine((value) => value % 2 === 1, { error: 'it is even' }))),
})

test.each([
  [{ count: 0 }, 'options.count: expected at least 1'],
  [{ count: 10 }, 'options.count: expected at most 9'],
  [{ count: '1' }, 'options.count: expected number'],
  [{ share: 1 }, 'options.share: expected less than 1'],
  [{ name: 'long' }, 'options.name: expected at most 3 characters'],
  [{ all: [] }, 'options.all: expected at least 2 entries'],
  [{ all: ['a', 1] }, 'options.all.1: expected string'],
  [{ kind: 'c' }, 'options.kind: expected "a" or "b"'],
  [{ either: 1 }, 'options.either: not valid'],
  [{ odd: 2 }, 'options.odd: it is even'],
  [{ other: 1 }, 'options: no such key: other'],
])('%j', (given, said) => {
  expect(() => parseOptions(schema, given, 'options')).toThrow(said)
})
