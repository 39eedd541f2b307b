/** `showchain receive`: takes files, folders or a text from the one whose code or ticket it is. */
import type { Connection, Stream } from '@showchain/client'
import { FolderTarget, NameTakenError, type Received, receiveFiles } from '@showchain/files'
import { ShowchainError } from '@showchain/wire'
import { ephemeralUnlessTold, viaOf } from './connect.ts'
import { isTicket } from './contacts.ts'
import { UsageError } from './failures.ts'
import { failureOf } from './goodbye.ts'
import { type Caller, callOther, checkInvitation, Door, type WaitFlags, waitForOther } from './meeting.ts'
import { outputFor } from './output.ts'
import { announce } from './pipe.ts'
import type { ShownProgress } from './progress.ts'
import { agrees, ask, canAsk } from './question.ts'
import { type Session, withPeer } from './session.ts'
import { naming } from './sources.ts'
import { offerDetails, shownOffer, transferOn, whileOpen } from './transfers.ts'
import { explained } from './waits.ts'

export interface ReceiveFlags extends WaitFlags {
  readonly via: string
  readonly out: string
  readonly wait?: boolean
  readonly yes?: boolean
  readonly force?: boolean
  readonly asMe?: boolean
}

/** What the sender runs, and what is waited for. */
const WAITS = { command: 'showchain send --to', waiting: 'waiting for the sender', asks: false } as const

/** @param words a code, in one word or more, or a ticket; asked for at a terminal when there is none */
export async function receive(words: readonly string[], flags: ReceiveFlags): Promise<void> {
  const output = outputFor(flags)
  try {
    if (flags.yes !== true && !canAsk())
      throw new UsageError('stdin or stderr is no terminal, so nobody can be asked: --yes takes what is offered')
    const via = viaOf(flags)
    const target = await naming(flags, 'out', () => FolderTarget.in(flags.out, { force: flags.force === true }))
    const given = await invitationIn(words, flags)
    if (given !== undefined) checkInvitation(given, flags)
    const door = new Door(flags)
    // A ticket has the relays that are needed.
    const peerFlags = given !== undefined && isTicket(given) ? { ...flags, relay: [] } : flags
    await withPeer(
      ephemeralUnlessTold(peerFlags),
      output,
      given === undefined ? door.accept : 'nobody',
      async (session) => {
        const { connection, stream } =
          given === undefined
            ? await waitForOther(session, door, flags, WAITS)
            : await offererOf(session, await callOther(session, given, flags, via, WAITING))
        const work = (shown: ShownProgress): Promise<Received> =>
          take(session, connection, stream, target, flags, shown)
        const received = await transferOn(session, connection, work, flags.json === true).catch(inFlags)
        await report(session, received, flags)
      },
    )
  } catch (error) {
    throw output.failed(error)
  }
}

const WAITING = 'waiting for the sender: no path has answered yet'

/** What the sender printed; undefined for --wait. @throws UsageError */
async function invitationIn(words: readonly string[], { wait }: ReceiveFlags): Promise<string | undefined> {
  if (wait === true) {
    if (words.length > 0) throw new UsageError('--wait waits for a sender: leave the code out')
    return undefined
  }
  if (words.length > 0) return words.join(' ')
  if (!canAsk()) throw new UsageError('name the code or the ticket that `showchain send` printed, or use --wait')
  const answer = (await ask('code or ticket of the sender: ')).trim()
  if (answer === '') throw new UsageError('no code was given: `showchain send` prints one at the other computer')
  return answer
}

/** What a package says of its options, by the flags of this command. */
function inFlags(error: unknown): never {
  if (!(error instanceof NameTakenError)) throw error
  const advice = 'choose another folder with --out, or replace it with --force'
  throw new ShowchainError(error.code, `${error.taken} is already there: ${advice}.`, { cause: error })
}

/** A sender that waits begins with the first stream of the one who calls. */
async function offererOf({ output }: Session, connection: Connection): Promise<Caller> {
  await announce(connection)
  return { connection, stream: await explained(output, 'waiting for the offer', firstStream(connection)) }
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
      const taken = yes || agrees(await whileOpen(connection, askWhileOpen(connection, `Receive into ${out}? [y/N] `)))
      if (taken) shown.begin()
      return taken
    },
  })
}

/** A question that ends with the connection. */
async function askWhileOpen(connection: Connection, question: string): Promise<string> {
  const gone = new AbortController()
  const stop = connection.on('close', () => gone.abort())
  try {
    return await ask(question, gone.signal)
  } finally {
    stop()
  }
}

async function report({ output, bytes }: Session, received: Received, { out }: ReceiveFlags): Promise<void> {
  if (received.type === 'text') return await output.text(received.text)
  const { offer, found } = received
  bytes.received = offer.bytes
  const again = found === 'whole' ? '; it was there already' : ''
  output.note('received', `received ${shownOffer(offer)} into ${out}${again}`, { ...offerDetails(offer), found })
}
