/**
 * The members of one JSON object (RFC 8259), including what `JSON.parse` hides: repeated names, and
 * how a number is written. It never throws, as `JSON.parse` does: an error takes ten times as long
 * to make as a message takes to read (measured), and anyone can send malformed datagrams.
 */
import type { JsonValue } from './kinds.ts'
import { fromUtf8 } from './utf8.ts'

/**
 * Name → value. Null: a value that no message contains (a literal, another number, array, object).
 */
export type Members = ReadonlyMap<string, JsonValue | null>

/**
 * The members of the object in `bytes`. Undefined: not UTF-8, not one object, or a repeated name.
 */
export function scanObject(bytes: Uint8Array): Members | undefined {
  const text = fromUtf8(bytes)
  return text === undefined ? undefined : new Scanner(text).whole()
}

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

/** Literals and numbers (RFC 8259 §3, §6); sticky. */
const SCALAR = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const INTEGER = /^(?:0|[1-9][0-9]*)$/
/** A backslash, or a character that a string must not contain unescaped (§7). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
const NEEDS_CARE = /[\\\u0000-\u001f]/
/** The content of a string, with every escape that exists (§7). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it refuses
const STRING = /^(?:[^\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*$/
const ESCAPE = /\\(?:u(....)|(.))/g
const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
])

/**
 * Reads from left to right. Each method begins at the first character of its part and ends after
 * the last.
 */
class Scanner {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  /** The object that is the whole text. */
  whole(): Members | undefined {
    const members = new Map<string, JsonValue | null>()
    this.#skipSpace()
    const read = this.#take(OPEN_BRACE) && this.#list(CLOSE_BRACE, () => this.#member(members))
    this.#skipSpace()
    return read && this.#at === this.#text.length ? members : undefined
  }

  /** Elements separated by commas, from after the opening bracket to the closing one. */
  #list(close: number, element: () => boolean): boolean {
    this.#skipSpace()
    if (this.#take(close)) return true
    do {
      this.#skipSpace()
      if (!element()) return false
      this.#skipSpace()
    } while (this.#take(COMMA))
    return this.#take(close)
  }

  #member(members: Map<string, JsonValue | null>): boolean {
    const name = this.#name()
    if (name === undefined || members.has(name)) return false
    const value = this.#value()
    if (value === undefined) return false
    members.set(name, value)
    return true
  }

  /** A name, with the colon and the white space after it. */
  #name(): string | undefined {
    const name = this.#string()
    this.#skipSpace()
    if (!this.#take(COLON)) return undefined
    this.#skipSpace()
    return name
  }

  #value(): JsonValue | null | undefined {
    const first = this.#text.charCodeAt(this.#at)
    if (first === QUOTE) return this.#string()
    if (first === OPEN_BRACE || first === OPEN_BRACKET) return this.#nested() ? null : undefined
    SCALAR.lastIndex = this.#at
    const raw = SCALAR.exec(this.#text)?.[0]
    if (raw === undefined) return undefined
    this.#at += raw.length
    const value = INTEGER.test(raw) ? Number(raw) : Number.NaN
    return Number.isSafeInteger(value) ? value : null
  }

  /** A nested value is ignored, but must be JSON. The size of a datagram bounds its depth. */
  #nested(): boolean {
    const value = (): boolean => this.#value() !== undefined
    if (this.#take(OPEN_BRACKET)) return this.#list(CLOSE_BRACKET, value)
    return this.#take(OPEN_BRACE) && this.#list(CLOSE_BRACE, () => this.#name() !== undefined && value())
  }

  #string(): string | undefined {
    if (!this.#take(QUOTE)) return undefined
    const start = this.#at
    let end = this.#text.indexOf('"', start)
    while (end !== -1 && this.#isEscaped(start, end)) end = this.#text.indexOf('"', end + 1)
    if (end === -1) return undefined
    this.#at = end + 1
    const raw = this.#text.slice(start, end)
    return NEEDS_CARE.test(raw) ? unescaped(raw) : raw
  }

  /** Whether an odd number of backslashes precedes the quote at `quote`. */
  #isEscaped(start: number, quote: number): boolean {
    let at = quote
    while (at > start && this.#text.charCodeAt(at - 1) === BACKSLASH) at--
    return (quote - at) % 2 === 1
  }

  #take(character: number): boolean {
    if (this.#text.charCodeAt(this.#at) !== character) return false
    this.#at++
    return true
  }

  #skipSpace(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text.charCodeAt(this.#at)
      if (character !== 0x20 && character !== 0x0a && character !== 0x0d && character !== 0x09) return
    }
  }
}

/**
 * The characters of a string. Undefined for an unknown escape or an unescaped control character.
 */
function unescaped(raw: string): string | undefined {
  if (!STRING.test(raw)) return undefined
  return raw.replace(ESCAPE, (_all, hex: string | undefined, short: string) =>
    hex === undefined ? (SHORT_ESCAPES.get(short) ?? short) : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
