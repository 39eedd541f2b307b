/**
 * `--pipe`: sends stdin on a stream and writes what it receives to stdout, until both directions
 * have ended.
 */
import { pipeline } from 'node:stream/promises'
import { type Connection, type Stream, toDuplex } from '@showchain/client'
import { ShowchainError } from '@showchain/wire'
import { UsageError } from './usage-error.ts'

/** @throws ShowchainError `ERR_STREAM_RESET`, `ERR_CLOSED`; UsageError in plaintext */
export async function pipe(connection: Connection): Promise<void> {
  if (!connection.protected) throw new UsageError('--pipe needs an encrypted connection: remove --plaintext')
  const duplex = toDuplex(await streamOf(connection))
  await Promise.all([pipeline(process.stdin, duplex), pipeline(duplex, process.stdout, { end: false })])
}

/** The peer that dialled opens the stream. */
async function streamOf(connection: Connection): Promise<Stream> {
  if (!connection.incoming) return connection.openStream()
  const { value, done } = await connection.streams.next()
  if (done) throw new ShowchainError('ERR_CLOSED', connection.closedBecause)
  return value
}
