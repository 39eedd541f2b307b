/**
 * Foreign values in the sentence of an error: from JavaScript, from a file or from a stranger
 * anything may come. Nothing here throws, and `quote` calls nothing of the value that it shows.
 */

/** Characters of a foreign text that an error shows. */
const MAX_QUOTE = 80
/** The largest bigint that is shown: writing out a longer one takes time that grows with its square. */
const MAX_BIGINT = 2n ** 64n

/** What moves a terminal's cursor, reorders or ends a line, or is no character at all (Unicode's categories C, Zl, Zp). */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/** A text in one line of a terminal: control characters and the like are escaped. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`)

/** A foreign value, for the detail of an error: short, in one line, printable. */
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
