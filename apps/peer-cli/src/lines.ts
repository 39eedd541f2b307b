/** Lines are bytes up to 0x0A: text in any encoding, unchanged. */

const NEWLINE = 0x0a
/** A longer line comes in pieces, so that one without an end takes no more memory than this. */
export const MAX_LINE: number = 64 * 1024

/** Whether this is the beginning of a line that is too long, or has no end yet. */
export const isPart = (line: Uint8Array): boolean => line.length === MAX_LINE && line.at(-1) !== NEWLINE

export const withoutNewline = (line: Uint8Array): Uint8Array => (line.at(-1) === NEWLINE ? line.subarray(0, -1) : line)

/** A line at the end of its stream may lack its newline. */
export const withNewline = (line: Uint8Array): Uint8Array =>
  line.at(-1) === NEWLINE || isPart(line) ? line : Buffer.concat([line, Uint8Array.of(NEWLINE)])

/** Each line with its newline. Work is linear in the bytes, however they are cut. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  /** The beginning of a line: pieces without a newline, below MAX_LINE in all. */
  let begun: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    for (let rest = chunk; rest.length > 0; ) {
      const newline = rest.subarray(0, MAX_LINE - length).indexOf(NEWLINE)
      const end = newline < 0 ? Math.min(rest.length, MAX_LINE - length) : newline + 1
      begun.push(rest.subarray(0, end))
      length += end
      rest = rest.subarray(end)
      if (newline < 0 && length < MAX_LINE) continue
      yield Buffer.concat(begun)
      begun = []
      length = 0
    }
  }
  if (length > 0) yield Buffer.concat(begun)
}
