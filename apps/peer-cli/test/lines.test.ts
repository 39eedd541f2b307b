import { expect, test } from 'vitest'
import { isPart, linesOf, MAX_LINE, withNewline } from '../src/lines.ts'

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function linesIn(bytes: Uint8Array, size: number): Promise<readonly Uint8Array[]> {
  const lines: Uint8Array[] = []
  for await (const line of linesOf(inPieces(bytes, size))) lines.push(line)
  return lines
}

const text = (...lines: readonly Uint8Array[]): readonly string[] =>
  lines.map((line) => Buffer.from(line).toString('latin1'))

test.each([1, 2, 3, 5, 100])(
  'lines are bytes up to 0x0A, blank ones and other encodings too, in pieces of %i',
  async (size) => {
    const bytes = Buffer.from('a\n\n\xff\xfe\r\n\0\nlast', 'latin1')
    expect(text(...(await linesIn(bytes, size)))).toEqual(['a\n', '\n', '\xff\xfe\r\n', '\0\n', 'last'])
  },
)

test.each([1000, MAX_LINE - 1, MAX_LINE, MAX_LINE + 1, 1_000_000])(
  'a line that is too long comes in parts, and nothing of it is lost, in pieces of %i',
  async (size) => {
    const bytes = Buffer.concat([Buffer.alloc(2 * MAX_LINE + 5, 'x'), Buffer.from('\nshort\n')])
    const lines = await linesIn(bytes, size)
    expect(lines.map(({ length }) => length)).toEqual([MAX_LINE, MAX_LINE, 6, 6])
    expect(lines.map(isPart)).toEqual([true, true, false, false])
    expect(Buffer.concat(lines).equals(bytes)).toBe(true)
  },
)

test('a line of the greatest length with its newline is whole', async () => {
  const bytes = Buffer.concat([Buffer.alloc(MAX_LINE - 1, 'x'), Buffer.from('\n')])
  expect((await linesIn(bytes, 4096)).map(isPart)).toEqual([false])
})

test('a newline is put behind the last line of a stream, and behind no part', () => {
  expect(text(withNewline(Buffer.from('a')), withNewline(Buffer.from('a\n')))).toEqual(['a\n', 'a\n'])
  expect(withNewline(new Uint8Array(MAX_LINE)).length).toBe(MAX_LINE)
})

test('work is linear in the bytes: 16 MiB without a newline, in small pieces', async () => {
  const begun = performance.now()
  const lines = await linesIn(new Uint8Array(16 * 1024 * 1024), 1200)
  expect(lines.length).toBe(256)
  expect(performance.now() - begun).toBeLessThan(5000)
})
