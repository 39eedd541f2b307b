/** `showchain listen`: accepts connections and exchanges lines with them, or pipes bytes. */
import type { Connection } from '@showchain/client'
import { acceptOf } from './contacts.ts'
import { type Conversation, conversationOn } from './conversation.ts'
import { TransferError, UsageError } from './failures.ts'
import { GOODBYE } from './goodbye.ts'
import type { PeerFlags } from './open-peer.ts'
import { outputFor } from './output.ts'
import { nextStream } from './pipe.ts'
import { directionOf, type PipeFlags, Pipes } from './pipes.ts'
import { untilRegistered } from './reaching.ts'
import { type Session, withPeer } from './session.ts'
import { stdoutFailed } from './stdio.ts'
import { Strangers } from './strangers.ts'
import { receiveLines, sendLines, undelivered } from './talk.ts'

export interface ListenFlags extends PeerFlags, PipeFlags {
  readonly echo?: boolean
  readonly keep?: boolean
  readonly allow?: readonly string[]
}

/** Accepts connections until a signal; with --pipe the first one, unless --keep. */
export async function listen(flags: ListenFlags): Promise<void> {
  const output = outputFor(flags)
  try {
    if (flags.keep && !flags.pipe) throw new UsageError('--keep is for --pipe')
    const direction = directionOf(flags)
    const accept = acceptOf(flags)
    await withPeer(flags, output, accept, async (session) => {
      const pipes = flags.pipe ? new Pipes(session, flags.keep ? 'receive' : direction) : undefined
      const strangers = pipes === undefined ? undefined : Strangers.of(output, flags)
      await printTicket(session, flags, strangers)
      if (pipes === undefined || strangers === undefined) await talkToAll(session, flags.echo === true)
      else await serve(session, pipes, strangers, flags.keep === true)
    })
  } catch (error) {
    throw output.failed(error)
  }
}

/** When a relay is there, if there is to be one. @param strangers where somebody may be asked about them */
export async function printTicket(
  session: Session,
  flags: Pick<ListenFlags, 'relay' | 'allow' | 'timeout'>,
  strangers?: Strangers,
): Promise<void> {
  const { peer, output } = session
  await untilRegistered(session, flags)
  output.ticket(peer.ticket)
  if (strangers?.asks === true)
    output.note(
      'accept',
      'contacts that have the ticket may connect; about others you are asked; --allow names who may',
    )
  else if (flags.allow === undefined)
    output.note('accept', 'any peer that has the ticket may connect; --allow restricts this')
}

async function talkToAll(session: Session, echo: boolean): Promise<void> {
  const open = new Set<Conversation>()
  session.undone = () => undelivered([...open])
  session.outlives = true
  const accepting = async (): Promise<void> => {
    for await (const connection of session.peer.incoming) {
      const conversation = conversationOn(connection)
      open.add(conversation)
      connection.on('close', () => open.delete(conversation))
      session.add(connection)
      void receiveLines(session, connection, conversation, echo)
    }
  }
  // The end of stdin ends nothing here.
  const sending = sendLines(session, () => [...open]).then(() => new Promise<never>(() => {}))
  await Promise.race([accepting(), sending, stdoutFailed()])
}

/** One connection, or one after the other; meanwhile others are told that it is busy. */
function serve(session: Session, pipes: Pipes, strangers: Strangers, keep: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let serving = false
    const one = async (connection: Connection): Promise<void> => {
      // A plaintext one has no streams, which `pipe` says.
      const first = connection.protected ? await nextStream(connection) : undefined
      // One that ends without a stream, such as a ping's, wanted nothing.
      if (connection.protected && first === undefined) return
      if (!serving && !(await strangers.admits(connection))) return
      if (serving) return connection.close({ code: GOODBYE.busy, reason: 'busy with another connection' })
      serving = true
      try {
        await pipes.run(connection, { last: !keep, first })
      } catch (error) {
        if (!keep || pipes.broken || !(error instanceof TransferError)) return reject(error)
        session.output.note('failed', error.message)
      }
      serving = false
      if (!keep) resolve()
      else session.undone = () => false
    }
    const accepting = async (): Promise<void> => {
      if (keep) session.undone = () => false
      for await (const connection of session.peer.incoming) {
        session.add(connection)
        void one(connection)
      }
    }
    accepting().catch(reject)
  })
}
