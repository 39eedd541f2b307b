/** `showchain send`: offers files, folders or a text to the one who has the code or the ticket. */
import type { Connection } from '@showchain/client'
import { FileSource, MAX_TEXT_BYTES, sendFiles, sendText } from '@showchain/files'
import { shownBytes } from './amounts.ts'
import { argument } from './argument.ts'
import { ephemeralUnlessTold } from './connect.ts'
import { UsageError } from './failures.ts'
import { callOther, checkInvitation, Door, type WaitFlags, waitForOther } from './meeting.ts'
import { outputFor } from './output.ts'
import type { ShownProgress } from './progress.ts'
import { type Session, withPeer } from './session.ts'
import { shownOffer, transferOn } from './transfers.ts'
import { explained } from './waits.ts'

export interface SendFlags extends WaitFlags {
  readonly text?: string
  readonly to?: string
  readonly asMe?: boolean
}

/** What the receiver runs, and what is waited for. */
const WAITS = { command: 'showchain receive', waiting: 'waiting for the receiver', asks: true } as const

/** Ends when the receiver has everything. */
export async function send(paths: readonly string[], flags: SendFlags): Promise<void> {
  const output = outputFor(flags)
  try {
    if (paths.length > 0 === (flags.text !== undefined))
      throw new UsageError('name files or folders to send, or a text with --text')
    if (Buffer.byteLength(flags.text ?? '') > MAX_TEXT_BYTES)
      throw new UsageError(`--text has at most ${MAX_TEXT_BYTES} bytes: send a longer one as a file`)
    const { to } = flags
    if (to !== undefined) checkInvitation(to, flags)
    const source = paths.length === 0 ? undefined : await argument(() => FileSource.of(paths))
    for (const { path, why } of source?.leftOut ?? [])
      output.note('left-out', `left out: ${path}: ${why}`, { path, why })
    const door = new Door(flags)
    await withPeer(ephemeralUnlessTold(flags), output, to === undefined ? door.accept : 'nobody', async (session) => {
      const connection =
        to === undefined
          ? await receiverOf(session, door, flags)
          : await callOther(session, to, flags, undefined, 'waiting for the receiver: no path has answered yet')
      const work = (shown: ShownProgress): Promise<void> => give(session, connection, source, flags.text ?? '', shown)
      await transferOn(session, connection, work, flags.json === true)
    })
  } catch (error) {
    throw output.failed(error)
  }
}

/** A receiver that calls says so on a stream of its own, and nothing more. */
async function receiverOf(session: Session, door: Door, flags: SendFlags): Promise<Connection> {
  const { connection, stream } = await waitForOther(session, door, flags, WAITS)
  // Whether that is acknowledged matters to nobody.
  stream.end().catch(() => {})
  return connection
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
