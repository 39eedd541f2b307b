/** Every message on stderr, one JSON object a line: for people who watch the protocol, and for programs that show it. */
import type { TraceEntry } from '@showchain/client/runtime'
import { describe, formatEndpoint } from '@showchain/wire'

export function writeTrace({ at, direction, remote, bytes, message, refusal }: TraceEntry): void {
  const what = message === undefined ? { refusal } : { op: message.op_code, text: describe(message) }
  process.stderr.write(
    `${JSON.stringify({ trace: direction, at, remote: formatEndpoint(remote), size: bytes.length, ...what })}\n`,
  )
}
