/** `--pipe`: stdin goes to the other end as it is, and what comes from there to stdout, until both are at their end. */
import { pipeline } from 'node:stream/promises'
import { type Connection, type Stream, toDuplex } from '@showchain/client'
import { ShowchainError } from '@showchain/wire'
import { UsageError } from './usage-error.ts'

/** @throws ShowchainError `ERR_STREAM_RESET`, `ERR_CLOSED`; UsageError in plaintext */
export async function pipe(connection: Connection): Promise<void> {
  if (!connection.protected) throw new UsageError('--pipe needs a protected connection: leave --plaintext away')
  const duplex = toDuplex(await streamOf(connection))
  await Promise.all([pipeline(process.stdin, duplex), pipeline(duplex, process.stdout, { end: false })])
}

/** Who dialled opens the stream. */
async function streamOf(connection: Connection): Promise<Stream> {
  if (!connection.incoming) return connection.openStream()
  const { value, done } = await connection.streams.next()
  if (done) throw new ShowchainError('ERR_CLOSED', connection.closedBecause)
  return value
}
