/** Options and configuration, read by a schema, with an error that names each key that is wrong. */
import { en } from 'zod/locales'
import * as z from 'zod/mini'
import { type ErrorCode, ShowchainError, typedError } from './errors.ts'
import { quote } from './foreign.ts'

/** What is wrong, in words. */
const sentences = en()

/** Of the keys that are wrong an error names the first. */
const MAX_SHOWN = 8
const PLAIN_KEY = /^\w{1,40}$/

/**
 * @param what a name for the whole, which an error shows.
 * @param code of the error.
 * @throws ShowchainError of that code, and what the schema's own transformations throw of ours
 */
export function parseOptions<Options>(
  schema: z.core.$ZodType<Options>,
  value: unknown,
  what: string,
  code: ErrorCode = 'ERR_BAD_CONFIG',
): Options {
  try {
    const parsed = z.safeParse(schema, value)
    if (parsed.success) return parsed.data
    // Once more for the words: asked for each time, they would take most of the time.
    const { error = parsed.error } = z.safeParse(schema, value, { error: sentences.localeError })
    const issues = error.issues.slice(0, MAX_SHOWN).map((issue) => showIssue(what, issue))
    throw new ShowchainError(code, `${issues.join('; ')}.`, { cause: error })
  } catch (error) {
    // Reading a foreign object may run its own code.
    throw typedError(error, code, `${what}: cannot be read.`)
  }
}

function showIssue(what: string, issue: z.core.$ZodIssue): string {
  const where = [what, ...issue.path].map(showKey).join('.')
  if (issue.code !== 'unrecognized_keys') return `${where}: ${issue.message}`
  return `${where}: no such key: ${issue.keys.slice(0, MAX_SHOWN).map(showKey).join(', ')}`
}

const showKey = (key: PropertyKey): string => (typeof key === 'string' && PLAIN_KEY.test(key) ? key : quote(key))
