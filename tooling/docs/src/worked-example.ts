/**
 * The worked example of docs/protocol.md: a whole protected connection, from the golden vectors.
 */
import { readFileSync } from 'node:fs'
import { ROOT } from './files.ts'

interface Step {
  readonly from: string
  readonly what: string
  /** Hex. */
  readonly datagram: string
  /** Of a record. */
  readonly record?: { readonly payload: string }
}

const VECTORS = `${ROOT}packages/testkit/vectors/connection.json`
const INDENT = '    '
/** Hex digits of a line: 32 bytes. */
const LINE = 64
/** What is longer than three lines shows its first two and its last bytes. */
const SHOWN = 2 * LINE
const LAST = 16

const shortened = (hex: string): string =>
  hex.length <= SHOWN + LINE ? hex : `${hex.slice(0, SHOWN)}…${hex.slice(-LAST)}`

const lines = (hex: string): readonly string[] =>
  (shortened(hex).match(new RegExp(`.{1,${LINE}}`, 'g')) ?? []).map((line) => `${INDENT}${line}`)

function show({ from, what, datagram, record }: Step): string {
  const head = `${from}: ${what} (${datagram.length / 2})`
  return [head, ...lines(datagram), ...(record === undefined ? [] : [`${INDENT}frames: ${record.payload}`])].join('\n')
}

/** Every datagram, long ones shortened; of a record its frames as well. */
export function workedExample(): string {
  const { steps } = JSON.parse(readFileSync(VECTORS, 'utf8')) as { readonly steps: readonly Step[] }
  return `\`\`\`text\n${steps.map(show).join('\n')}\n\`\`\``
}
