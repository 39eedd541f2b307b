/**
 * The members of one JSON object, with what `JSON.parse` cannot see: repeated names, and how a
 * number is written. `JSON.parse` itself judges the syntax first, so the scan behind it only has to
 * find where each member starts and ends.
 */
import type { JsonValue } from './kinds.ts'
import { fromUtf8 } from './utf8.ts'

const INTEGER = /^(?:0|[1-9][0-9]*)$/

/** Name → value; null stands for every value that no message has (other numbers, literals, arrays, objects). */
export type Members = ReadonlyMap<string, JsonValue | null>

/** The members of the object that fills `bytes`, or undefined: not UTF-8, not an object, or a name twice. */
export function scanObject(bytes: Uint8Array): Members | undefined {
  const text = fromUtf8(bytes)
  if (text === undefined || !isJson(text)) return undefined
  const members = new Map<string, JsonValue | null>()
  let at = skipSpace(text, skipSpace(text, 0) + 1)
  while (text[at] === '"') {
    const nameEnd = stringEnd(text, at)
    const name = unquote(text.slice(at, nameEnd))
    if (members.has(name)) return undefined
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1)
    const end = valueEnd(text, start)
    members.set(name, memberValue(text.slice(start, end)))
    at = skipSpace(text, end)
    if (text[at] === ',') at = skipSpace(text, at + 1)
  }
  return members
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

const unquote = (raw: string): string => (raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1))

function memberValue(raw: string): JsonValue | null {
  if (raw[0] === '"') return unquote(raw)
  return INTEGER.test(raw) && Number.isSafeInteger(Number(raw)) ? Number(raw) : null
}

function skipSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && ' \t\n\r'.includes(text[at] as string)) at++
  return at
}

/** Position behind the string that starts at `from`: behind the first quote with an even run of backslashes before it. */
function stringEnd(text: string, from: number): number {
  let quote = text.indexOf('"', from + 1)
  for (;;) {
    let backslashes = 0
    while (text[quote - 1 - backslashes] === '\\') backslashes++
    if (backslashes % 2 === 0) return quote + 1
    quote = text.indexOf('"', quote + 1)
  }
}

/** Position behind the value that starts at `from`. */
function valueEnd(text: string, from: number): number {
  let depth = 0
  let at = from
  for (; at < text.length; at++) {
    const character = text[at] as string
    if (character === '"') at = stringEnd(text, at) - 1
    else if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') {
      if (depth === 0) return at
      depth--
    } else if (depth === 0 && (character === ',' || ' \t\n\r'.includes(character))) return at
    if (depth === 0 && (character === '"' || character === '}' || character === ']')) return at + 1
  }
  return at
}
