/** `showchain receive`: takes files, folders or a text from the one whose ticket it is. */
import type { Connection, Stream } from '@showchain/client'
import { FolderTarget, type Received, receiveFiles } from '@showchain/files'
import { parseTicket } from '@showchain/wire'
import { ephemeralUnlessTold, viaOf } from './connect.ts'
import { UsageError } from './failures.ts'
import { failureOf } from './goodbye.ts'
import { type PeerFlags, timeoutOf } from './open-peer.ts'
import { outputFor } from './output.ts'
import { announce } from './pipe.ts'
import type { ShownProgress } from './progress.ts'
import { agrees, ask, canAsk } from './question.ts'
import { type Session, withPeer } from './session.ts'
import { offerDetails, shownOffer, transferOn, whileOpen } from './transfers.ts'
import { explained } from './waits.ts'

export interface ReceiveFlags extends PeerFlags {
  readonly via: string
  readonly out: string
  readonly yes?: boolean
  readonly force?: boolean
  readonly asMe?: boolean
}

/** @param code a ticket; asked for at a terminal when it is not given */
export async function receive(code: string | undefined, flags: ReceiveFlags): Promise<void> {
  const output = outputFor(flags)
  try {
    if (flags.yes !== true && !canAsk())
      throw new UsageError('stdin or stderr is no terminal, so nobody can be asked: --yes takes what is offered')
    const via = viaOf(flags)
    const timeout = timeoutOf(flags)
    const target = await FolderTarget.in(flags.out, { force: flags.force === true })
    const ticket = parseTicket((code ?? (await askForTicket())).trim())
    await withPeer(ephemeralUnlessTold(flags), output, 'nobody', async (session) => {
      const connecting = session.peer.connect(ticket, { via, timeout })
      const connection = await explained(output, 'waiting for the sender: no path has answered yet', connecting)
      session.add(connection)
      await announce(connection)
      const stream = await explained(output, 'waiting for the offer', firstStream(connection))
      const work = (shown: ShownProgress): Promise<Received> => take(session, connection, stream, target, flags, shown)
      const received = await transferOn(session, connection, work, flags.json === true)
      await report(session, received, flags)
    })
  } catch (error) {
    throw output.failed(error)
  }
}

async function askForTicket(): Promise<string> {
  if (!canAsk()) throw new UsageError('name the ticket that `showchain send` printed')
  return await ask('ticket of the sender: ')
}

async function firstStream(connection: Connection): Promise<Stream> {
  const { value, done } = await connection.streams.next()
  if (done) throw failureOf(connection)
  return value
}

function take(
  { output }: Session,
  connection: Connection,
  stream: Stream,
  target: FolderTarget,
  { out, yes = false }: ReceiveFlags,
  shown: ShownProgress,
): Promise<Received> {
  return receiveFiles(stream, target, {
    onProgress: (progress) => shown.show(progress),
    accept: async (offer, found) => {
      const before = found === 'part' ? ', of which a part is there' : ''
      const sentence = `${shownOffer(offer)}${before}`
      output.note('offer', `offered: ${sentence}`, { ...offerDetails(offer), found })
      const taken = yes || agrees(await whileOpen(connection, ask(`Receive into ${out}? [y/N] `)))
      if (taken) shown.begin()
      return taken
    },
  })
}

async function report({ output, bytes }: Session, received: Received, { out }: ReceiveFlags): Promise<void> {
  if (received.type === 'text') return await output.text(received.text)
  const { offer, found } = received
  bytes.received = offer.bytes
  const again = found === 'whole' ? '; it was there already' : ''
  output.note('received', `received ${shownOffer(offer)} into ${out}${again}`, { ...offerDetails(offer), found })
}
