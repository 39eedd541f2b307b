/** Options and configuration, read by a schema, with an error that names each key that is wrong. */
import * as z from 'zod/mini'
import { type ErrorCode, ShowchainError, typedError } from './errors.ts'
import { quote } from './foreign.ts'

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
    const { error = parsed.error } = z.safeParse(schema, value, { error: sentenceOf })
    const issues = error.issues.slice(0, MAX_SHOWN).map((issue) => showIssue(what, issue))
    throw new ShowchainError(code, `${issues.join('; ')}.`, { cause: error })
  } catch (error) {
    // Reading a foreign object may run its own code.
    throw typedError(error, code, `${what}: cannot be read.`)
  }
}

/** What is wrong, in words, of what has none of its own: zod's would be a kilobyte of each page. */
function sentenceOf(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${issue.expected}`
    case 'invalid_value':
      return `expected ${issue.values.map(quote).join(' or ')}`
    case 'too_small':
      return `expected ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${unitOf(issue.origin)}`
    case 'too_big':
      return `expected ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${unitOf(issue.origin)}`
    default:
      return 'not valid'
  }
}

const UNITS: Readonly<Record<string, string>> = { string: ' characters', array: ' entries' }
const unitOf = (origin: string): string => UNITS[origin] ?? ''

function showIssue(what: string, issue: z.core.$ZodIssue): string {
  const where = [what, ...issue.path].map(showKey).join('.')
  if (issue.code !== 'unrecognized_keys') return `${where}: ${issue.message}`
  return `${where}: no such key: ${issue.keys.slice(0, MAX_SHOWN).map(showKey).join(', ')}`
}

const showKey = (key: PropertyKey): string => (typeof key === 'string' && PLAIN_KEY.test(key) ? key : quote(key))
