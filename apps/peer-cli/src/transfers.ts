/** What `send` and `receive` have in common: how a transfer fails, and what it says then. */
import type { Connection } from '@showchain/client'
import { type Offer, shownPath } from '@showchain/files'
import { ShowchainError } from '@showchain/wire'
import { shownBytes, shownCount } from './amounts.ts'
import { failureOf } from './goodbye.ts'
import { ShownProgress } from './progress.ts'
import type { Session } from './session.ts'

/** Names that are shown; the others are counted. */
const SHOWN_NAMES = 5
/** Milliseconds in which a connection whose stream broke says why. */
const WHY = 2000

/** What is sent, in a few words. */
export function shownOffer({ names, files, bytes }: Offer): string {
  const shown = names.slice(0, SHOWN_NAMES).map(shownPath)
  const more = names.length > shown.length ? ` and ${names.length - shown.length} more` : ''
  return `${shown.join(', ')}${more} (${shownCount(files, 'file')}, ${shownBytes(bytes)})`
}

/** For the events of --json. */
export const offerDetails = ({ names, entries, files, bytes }: Offer): Readonly<Record<string, unknown>> => ({
  names: names.map(shownPath),
  entries,
  files,
  bytes,
})

const closed = (connection: Connection): Promise<void> =>
  new Promise((resolve) => {
    if (connection.end !== undefined) resolve()
    else connection.on('close', () => resolve())
  })

/** Settles as the work does; rejects with the reason when the connection ends before. */
export const whileOpen = <T>(connection: Connection, work: Promise<T>): Promise<T> =>
  Promise.race([work, closed(connection).then(() => Promise.reject(failureOf(connection)))])

/**
 * Runs a transfer. A signal that comes before it is done leaves something undone. What is kept is
 * said, so that somebody knows to run both commands again.
 */
export async function transferOn<T>(
  session: Session,
  connection: Connection,
  work: (shown: ShownProgress) => Promise<T>,
  json: boolean,
): Promise<T> {
  const shown = new ShownProgress(session.output, connection, json)
  let said = false
  const kept = (): void => {
    // A signal also breaks the transfer that it ends.
    if (!shown.begun || said) return
    said = true
    session.output.note('kept', 'what came so far is kept: run both commands again, with the new code or ticket')
  }
  session.undone = () => {
    kept()
    return true
  }
  try {
    const result = await work(shown)
    session.undone = () => false
    return result
  } catch (error) {
    const failure = await failureBehind(error, connection)
    if (!(failure instanceof ShowchainError) || failure.retryable) kept()
    throw failure
  }
}

/** A stream that broke does not say why; its connection does. */
async function failureBehind(error: unknown, connection: Connection): Promise<unknown> {
  const broken = error instanceof ShowchainError && (error.code === 'ERR_CLOSED' || error.code === 'ERR_STREAM_RESET')
  if (!broken) return error
  await Promise.race([closed(connection), new Promise((resolve) => void setTimeout(resolve, WHY).unref())])
  return connection.end === undefined ? error : failureOf(connection)
}
