/**
 * Values of unknown type in error messages: from a caller in JavaScript, a file or the network.
 * Nothing here throws, and `quote` calls no method of the value.
 */

/** Characters of a text that an error shows. */
const MAX_QUOTE = 80
/** The largest bigint that is shown: formatting takes time quadratic in the length. */
const MAX_BIGINT = 2n ** 64n

/**
 * Characters that control a terminal, reorder or end a line, or are unassigned (Unicode categories
 * C, Zl, Zp).
 */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/** The text with those characters escaped: one printable line. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`)

/** A value as part of an error's detail: short, one printable line. */
export function quote(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return printable(JSON.stringify(value.length > MAX_QUOTE ? `${value.slice(0, MAX_QUOTE)}…` : value))
    case 'bigint':
      return value < MAX_BIGINT && value > -MAX_BIGINT ? `${value}n` : 'a bigint'
    case 'symbol':
    case 'function':
      return `a ${typeof value}`
    case 'object':
      return value === null ? 'null' : 'an object'
    default:
      return String(value)
  }
}
