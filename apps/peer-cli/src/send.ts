/** `showchain send`: offers files, folders or a text to the one who has the ticket. */
import type { Connection } from '@showchain/client'
import { FileSource, MAX_TEXT_BYTES, sendFiles, sendText } from '@showchain/files'
import { parseTicket, ShowchainError } from '@showchain/wire'
import { shownBytes } from './amounts.ts'
import { ephemeralUnlessTold } from './connect.ts'
import { UsageError } from './failures.ts'
import { GOODBYE } from './goodbye.ts'
import { type PeerFlags, peerIds, timeoutOf } from './open-peer.ts'
import { outputFor } from './output.ts'
import { nextStream } from './pipe.ts'
import type { ShownProgress } from './progress.ts'
import { type Session, withPeer } from './session.ts'
import { shownOffer, transferOn } from './transfers.ts'
import { explained } from './waits.ts'

export interface SendFlags extends PeerFlags {
  readonly text?: string
  readonly allow?: readonly string[]
  readonly asMe?: boolean
}

/** Ends when the receiver has everything. */
export async function send(paths: readonly string[], flags: SendFlags): Promise<void> {
  const output = outputFor(flags)
  try {
    if (paths.length > 0 === (flags.text !== undefined))
      throw new UsageError('name files or folders to send, or a text with --text')
    if (Buffer.byteLength(flags.text ?? '') > MAX_TEXT_BYTES)
      throw new UsageError(`--text has at most ${MAX_TEXT_BYTES} bytes: send a longer one as a file`)
    const source = paths.length === 0 ? undefined : await sourceOf(paths)
    for (const { path, why } of source?.leftOut ?? [])
      output.note('left-out', `left out: ${path}: ${why}`, { path, why })
    const accept = flags.allow === undefined ? 'everyone' : peerIds(flags.allow)
    const timeout = timeoutOf(flags)
    await withPeer(ephemeralUnlessTold(flags), output, accept, async (session) => {
      const { peer } = session
      if ((flags.relay ?? []).length > 0)
        await explained(output, 'waiting for a relay to answer', peer.registered({ timeout }))
      announce(session)
      const connection = await explained(output, 'waiting for the receiver to connect', firstReceiver(session))
      const work = (shown: ShownProgress): Promise<void> => give(session, connection, source, flags.text ?? '', shown)
      await transferOn(session, connection, work, flags.json === true)
    })
  } catch (error) {
    throw output.failed(error)
  }
}

/** What cannot be sent is a wrong argument. */
async function sourceOf(paths: readonly string[]): Promise<FileSource> {
  try {
    return await FileSource.of(paths)
  } catch (error) {
    if (error instanceof ShowchainError && error.code === 'ERR_BAD_ARGUMENT') throw new UsageError(error.message)
    throw error
  }
}

/** The ticket alone for a program, the whole command for a person to copy. */
function announce({ peer, output }: Session): void {
  const { relays, addresses } = parseTicket(peer.ticket)
  if (relays.length + addresses.length === 0)
    throw new UsageError(
      'nobody can reach this host: name a relay with --relay or SHOWCHAIN_RELAY, or use --lan within one network',
    )
  output.ticket(peer.ticket, 'showchain receive')
}

/**
 * The first connection whose other end receives, which it shows by a stream; others are told that
 * this end is busy. One without a stream, such as a ping's, wants nothing.
 */
function firstReceiver(session: Session): Promise<Connection> {
  return new Promise((resolve, reject) => {
    let found = false
    const one = async (connection: Connection): Promise<void> => {
      if ((await nextStream(connection)) === undefined) return
      if (found) return connection.close({ code: GOODBYE.busy, reason: 'busy with another connection' })
      found = true
      resolve(connection)
    }
    const accepting = async (): Promise<void> => {
      for await (const connection of session.peer.incoming) {
        session.add(connection)
        void one(connection)
      }
    }
    accepting().catch(reject)
  })
}

async function give(
  session: Session,
  connection: Connection,
  source: FileSource | undefined,
  text: string,
  shown: ShownProgress,
): Promise<void> {
  const { output } = session
  const stream = await connection.openStream()
  if (source === undefined) {
    await explained(output, 'waiting for the receiver to take the text', sendText(stream, text))
    return output.note('sent', 'sent the text')
  }
  let answered = (): void => {}
  const answer = new Promise<void>((resolve) => {
    answered = resolve
  })
  const sending = sendFiles(stream, source, {
    onAccepted: () => {
      answered()
      shown.begin()
    },
    onProgress: (progress) => shown.show(progress),
  }).finally(answered)
  await explained(output, 'waiting for the receiver to accept', answer)
  const offer = await sending
  session.bytes.sent = offer.bytes
  output.note('sent', `sent ${shownOffer(offer)}`, { bytes: shownBytes(offer.bytes) })
}
