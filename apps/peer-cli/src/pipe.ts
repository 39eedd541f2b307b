/**
 * `--pipe`: sends stdin on a stream and writes what comes on the remote peer's stream to stdout,
 * until both have ended. Both ends know then whether everything arrived.
 */
import type { Connection, Stream } from '@showchain/client'
import { ShowchainError } from '@showchain/wire'
import { TransferError, UsageError } from './failures.ts'
import { failureOf, GOODBYE, incomplete, lastAcknowledged } from './goodbye.ts'
import type { Session } from './session.ts'
import { openStdin, type Sink } from './stdio.ts'

/** Milliseconds in which the end that was dialled expects the goodbye, when everything arrived. */
const GOODBYE_WAIT = 2000

export type Direction = 'both' | 'send' | 'receive'

/** How far a transfer is. */
class Progress {
  sent = 0
  /** Everything of stdin was read. */
  inputEnded = false
  /** All of that was acknowledged. */
  delivered = false
  /** The remote peer's stream was written to stdout, to its end. */
  received = false
}

/**
 * @param first of the remote peer's streams, if that is known already
 * @throws TransferError, BusyError; UsageError in plaintext
 */
export async function pipe(
  session: Session,
  connection: Connection,
  direction: Direction,
  out: Sink,
  first?: Stream,
): Promise<void> {
  if (!connection.protected) throw new UsageError('--pipe needs an encrypted connection: remove --plaintext')
  const progress = new Progress()
  session.undone = () => !(progress.delivered && progress.received)
  const failing = async (half: Promise<void>): Promise<void> => {
    try {
      await half
    } catch (error) {
      if (connection.end !== undefined && !(error instanceof TransferError)) return
      const failure = localFailure(error)
      await connection.close(incomplete(failure.message))
      throw failure
    }
  }
  try {
    if (!connection.incoming) await announce(connection)
    const ours = await connection.openStream()
    const data = theirs(connection, first)
    await Promise.all([
      failing(direction === 'receive' ? endOf(ours, progress) : send(session, connection, ours, progress)),
      failing(direction === 'send' ? refuseData(data, progress) : receive(session, data, out, progress)),
    ])
  } catch (error) {
    if (connection.end?.by === 'local' || !(error instanceof ShowchainError)) throw error
  }
  if (progress.delivered && progress.received) return leave(connection, direction)
  if (!wholeForRemote(connection, progress)) throw failureOf(connection)
}

/** The end that waits begins with the first stream that it sees, since a ping opens none. */
export async function announce(connection: Connection): Promise<void> {
  const empty = await connection.openStream()
  empty.end().catch(() => {})
}

/** The remote peer's next stream; undefined when the connection has ended. This end says nothing on it. */
export async function nextStream({ streams }: Connection): Promise<Stream | undefined> {
  const { value, done } = await streams.next()
  if (done) return undefined
  // Whether that is acknowledged matters to nobody.
  value.end().catch(() => {})
  return value
}

interface Data {
  readonly stream: Stream
  /** The first bytes; undefined: there are none. */
  readonly bytes: Uint8Array | undefined
}

/** What the remote peer sends: after an empty stream, if it announced itself by one. */
async function theirs(connection: Connection, first: Stream | undefined): Promise<Data> {
  const stream = first ?? (await nextStream(connection))
  if (stream === undefined) throw new ShowchainError('ERR_CLOSED', connection.closedBecause)
  const bytes = await stream.read()
  return bytes === undefined && first !== undefined ? theirs(connection, undefined) : { stream, bytes }
}

async function send(session: Session, connection: Connection, stream: Stream, progress: Progress): Promise<void> {
  // A pending read of stdin would outlast the connection.
  const off = connection.on('close', () => process.stdin.destroy())
  for await (const chunk of openStdin()) {
    await stream.write(chunk)
    progress.sent += chunk.length
    session.bytes.sent += chunk.length
  }
  off()
  if (connection.end === undefined) await endOf(stream, progress)
}

async function endOf(stream: Stream, progress: Progress): Promise<void> {
  progress.inputEnded = true
  await stream.end()
  progress.delivered = true
}

async function receive(session: Session, data: Promise<Data>, out: Sink, progress: Progress): Promise<void> {
  const { stream, bytes: first } = await data
  for (let bytes = first; bytes !== undefined; bytes = await stream.read()) {
    await out.write(bytes)
    session.bytes.received += bytes.length
  }
  await out.close()
  progress.received = true
}

/** --send-only: what the remote peer sends is not taken, and not waited for. */
async function refuseData(data: Promise<Data>, progress: Progress): Promise<void> {
  progress.received = true
  const refusing = async (): Promise<void> => {
    const { stream, bytes } = await data
    if (bytes !== undefined) stream.cancel()
  }
  refusing().catch(() => {})
}

/** What failed here, not the connection. */
function localFailure(error: unknown): TransferError {
  if (error instanceof TransferError) return error
  if (error instanceof ShowchainError && error.code === 'ERR_STREAM_RESET')
    return new TransferError('not everything was transferred: the remote peer takes nothing')
  return new TransferError(`stdin: ${error instanceof Error ? error.message : String(error)}`)
}

/** Everything arrived at both ends, as far as this one knows: lets the other one know it too. */
async function leave(connection: Connection, direction: Direction): Promise<void> {
  // The end that was dialled expects the goodbye of the other one.
  await lastAcknowledged(connection, connection.incoming && direction !== 'send' ? GOODBYE_WAIT : undefined)
  await connection.close({ code: direction === 'send' ? GOODBYE.sent : GOODBYE.whole })
}

/** The remote peer said that everything arrived, before its last acknowledgement came. */
function wholeForRemote({ end }: Connection, { sent, inputEnded, received }: Progress): boolean {
  if (end?.by !== 'remote' || !received) return false
  return end.code === GOODBYE.whole ? inputEnded : end.code === GOODBYE.sent && sent === 0
}
