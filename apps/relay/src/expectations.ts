/** What a value of the configuration has to be, in words, where its schema has none of its own. */
import { quote } from '@showchain/wire'
import type * as z from 'zod'

const BEGINNING = 'expected '
const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'names with values',
}

/** Undefined: as zod says it. */
export function expectation(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `${BEGINNING}${TYPES[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `${BEGINNING}one of ${issue.values.join(', ')}`
    case 'too_small':
      return `${BEGINNING}${issue.origin === 'string' ? 'a text that is not empty' : `${issue.minimum} or more`}`
    case 'too_big':
      return `${BEGINNING}${issue.maximum} or less`
    default:
      return undefined
  }
}

/** With what is there instead; other sentences have that already. */
export function withGiven(sentence: string, config: unknown, path: readonly PropertyKey[]): string {
  if (!sentence.startsWith(BEGINNING)) return sentence
  const given = path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Readonly<Record<PropertyKey, unknown>>)[key] : value,
    config,
  )
  return `${sentence}, not ${quote(given)}`
}
