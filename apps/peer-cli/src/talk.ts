/** Lines of stdin to conversations, and lines of conversations to stdout. */
import type { Connection } from '@showchain/client'
import type { Conversation } from './conversation.ts'
import { TransferError } from './failures.ts'
import { linesOf } from './lines.ts'
import type { Session } from './session.ts'
import { openStdin } from './stdio.ts'

/** Below the queue limit of a connection, so that slow connections do not fail. */
const MAX_PENDING_LINES = 256
/** Milliseconds that a signal leaves for what was sent to be acknowledged. */
const LAST_LINES = 1000

/** Sends each line on every open connection; resolves to true when a line was not delivered. */
export async function sendLines(session: Session, conversations: () => readonly Conversation[]): Promise<boolean> {
  const sending = new Set<Promise<void>>()
  let failed = false
  for await (const line of linesOf(openStdin())) {
    for (const conversation of conversations()) {
      const sent = conversation.send(line).then(
        () => {
          session.bytes.sent += line.length
        },
        (error: unknown) => {
          failed = true
          session.output.note('undelivered', `not delivered: ${(error as Error).message}`, {
            line: Buffer.from(line).toString('utf8'),
          })
        },
      )
      sending.add(sent)
      void sent.then(() => sending.delete(sent))
    }
    // Back-pressure: a file is read only as fast as its lines are acknowledged.
    while (sending.size >= MAX_PENDING_LINES) await Promise.race(sending)
  }
  await Promise.all(sending)
  const ends = await Promise.allSettled(conversations().map((conversation) => conversation.end()))
  return failed || ends.some(({ status }) => status === 'rejected')
}

export async function receiveLines(
  session: Session,
  { remoteId }: Connection,
  conversation: Conversation,
  echo: boolean,
  onLine = (): void => {},
): Promise<void> {
  const echoing = new Set<Promise<void>>()
  try {
    for await (const line of conversation.lines()) {
      onLine()
      session.bytes.received += line.length
      await session.output.message(remoteId, line)
      if (!echo) continue
      const sent = conversation.send(line).catch((error: unknown) => {
        session.output.note('undelivered', `not echoed: ${(error as Error).message}`, { peer: remoteId })
      })
      echoing.add(sent)
      void sent.then(() => echoing.delete(sent))
      while (echoing.size >= MAX_PENDING_LINES) await Promise.race(echoing)
    }
  } catch {
    // The connection has closed; `follow` has printed why.
  }
}

/** Whether lines that were read are not acknowledged, also not in the next second. */
export async function undelivered(conversations: readonly Conversation[]): Promise<boolean> {
  if (process.stdin.readableLength > 0) return true
  const ends = Promise.all(conversations.map((conversation) => conversation.end())).then(
    () => false,
    () => true,
  )
  return Promise.race([ends, new Promise<boolean>((resolve) => void setTimeout(resolve, LAST_LINES, true).unref())])
}

/** Not every line arrived. */
export const notEveryLine = (): TransferError => new TransferError('not every line was delivered')
