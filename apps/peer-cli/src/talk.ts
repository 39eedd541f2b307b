/** `showchain listen` and `showchain connect`: two terminals talk line by line, or pipe bytes. */
import { createInterface } from 'node:readline'
import type { Connection, DialPolicy, Peer } from '@showchain/client'
import { duration, later } from '@showchain/client/core'
import { systemClock } from '@showchain/client/runtime'
import { parseTicket, ShowchainError } from '@showchain/wire'
import { type Conversation, conversationOn } from './conversation.ts'
import { openPeer, type PeerFlags, peerIds, timeoutOf, wholeNumber } from './open-peer.ts'
import { follow, type Output, outputFor } from './output.ts'
import { pipe } from './pipe.ts'
import { UndeliveredError } from './undelivered-error.ts'
import { UsageError } from './usage-error.ts'

export interface ListenFlags extends PeerFlags {
  readonly echo?: boolean
  readonly pipe?: boolean
  readonly allow?: readonly string[]
}

export interface ConnectFlags extends PeerFlags {
  readonly via: string
  readonly pipe?: boolean
  readonly linger: string
}

const POLICIES: readonly DialPolicy[] = ['auto', 'direct-only', 'relay-only', 'direct', 'punch']
/** Less than a connection lets wait, so that several of them take their turns. */
const LINES_UNDER_WAY = 256
const encoder = new TextEncoder()

/** Waits for others, until a signal. */
export async function listen(flags: ListenFlags): Promise<void> {
  const output = outputFor(flags)
  const accept = flags.allow === undefined ? 'everyone' : peerIds(flags.allow)
  const timeout = timeoutOf(flags)
  const peer = await openPeer(flags, output, accept)
  const stop = stopOnSignal(peer)
  try {
    if ((flags.relay ?? []).length > 0) await peer.registered({ timeout })
    output.ticket(peer.ticket)
    if (accept === 'everyone') output.note('accept', 'everybody who has the ticket may connect; --allow names who may')
    if (flags.pipe === true) return await pipeFirst(peer, output)
    const open = new Set<Conversation>()
    const input = lines()
    void sendLines(input, () => [...open], output)
    for await (const connection of peer.incoming) {
      const conversation = conversationOn(connection)
      open.add(conversation)
      connection.on('close', () => open.delete(conversation))
      follow(connection, output)
      void receive(connection, conversation, output, flags.echo === true)
    }
  } catch (error) {
    if (!stop.signalled) throw error
  } finally {
    letGoOfStdin()
    await peer.close()
  }
}

/** Connects, sends the lines of stdin, and ends when all of them are acknowledged and nothing more comes. */
export async function connect(text: string, flags: ConnectFlags): Promise<void> {
  const output = outputFor(flags)
  const via = POLICIES.find((policy) => policy === flags.via)
  if (via === undefined) throw new UsageError(`--via is one of ${POLICIES.join(', ')}, not "${flags.via}"`)
  const linger = wholeNumber('--linger', flags.linger, 0, 86_400) ?? 0
  const timeout = timeoutOf(flags)
  const ticket = parseTicket(text)
  const peer = await openPeer(flags, output, 'nobody')
  const stop = stopOnSignal(peer)
  try {
    const connection = await peer.connect(ticket, { via, timeout })
    follow(connection, output)
    if (flags.pipe === true) return await pipe(connection)
    const conversation = conversationOn(connection)
    const quiet = new Quiet(linger * 1000)
    void receive(connection, conversation, output, false, () => quiet.stir())
    const input = lines()
    const closed = new Promise<string>((resolve) => connection.on('close', resolve))
    const sent = sendLines(input, () => [conversation], output)
    const gone = await Promise.race([sent.then(() => undefined), closed])
    if (gone !== undefined) throw new ShowchainError('ERR_CLOSED', gone)
    await Promise.race([quiet.wait(), closed])
    if (await sent) throw new UndeliveredError('not every line was delivered')
  } catch (error) {
    if (!stop.signalled) throw error
  } finally {
    letGoOfStdin()
    await peer.close()
  }
}

/** The first that connects gets stdin, and stdout gets what comes from there. */
async function pipeFirst(peer: Peer, output: Output): Promise<void> {
  const { value: connection, done } = await peer.incoming.next()
  if (done) return
  follow(connection, output)
  await pipe(connection)
}

interface Stop {
  /** Whether a signal came. */
  readonly signalled: boolean
  readonly done: Promise<void>
}

/** The first SIGINT or SIGTERM closes the peer, which ends everything; a second one ends the process as usual. */
function stopOnSignal(peer: Peer): Stop {
  let signalled = false
  const done = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        signalled = true
        resolve()
        void peer.close()
      })
    }
  })
  return {
    get signalled() {
      return signalled
    },
    done,
  }
}

const lines = (): ReturnType<typeof createInterface> =>
  createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })

/** A readline that is only closed resumes stdin once the lines that it has in store are read, and that keeps the process. */
const letGoOfStdin = (): void => void process.stdin.destroy()

/** Sends each line to whoever is connected; true when one of them did not arrive. */
async function sendLines(
  input: ReturnType<typeof createInterface>,
  conversations: () => readonly Conversation[],
  output: Output,
): Promise<boolean> {
  const sending = new Set<Promise<void>>()
  let failed = false
  for await (const line of input) {
    if (line === '') continue
    for (const conversation of conversations()) {
      const sent = conversation.send(encoder.encode(line)).catch((error: unknown) => {
        failed = true
        output.note('undelivered', `not delivered: ${(error as Error).message}`, { line })
      })
      sending.add(sent)
      void sent.then(() => sending.delete(sent))
    }
    // A file is read as fast as it is acknowledged.
    while (sending.size >= LINES_UNDER_WAY) await Promise.race(sending)
  }
  await Promise.all(sending)
  const ends = await Promise.allSettled(conversations().map((conversation) => conversation.end()))
  return failed || ends.some(({ status }) => status === 'rejected')
}

async function receive(
  { remoteId }: Connection,
  conversation: Conversation,
  output: Output,
  echo: boolean,
  stirred = (): void => {},
): Promise<void> {
  const echoing = new Set<Promise<void>>()
  try {
    for await (const bytes of conversation.lines()) {
      stirred()
      output.message(remoteId, bytes)
      if (!echo) continue
      const sent = conversation.send(bytes).catch((error: unknown) => {
        output.note('undelivered', `not echoed: ${(error as Error).message}`, { peer: remoteId })
      })
      echoing.add(sent)
      void sent.then(() => echoing.delete(sent))
      while (echoing.size >= LINES_UNDER_WAY) await Promise.race(echoing)
    }
  } catch {
    // The connection has ended, as its own line says.
  }
}

/** Waits until nothing has happened for a while. */
class Quiet {
  readonly #ms: number
  #last = systemClock.now()

  constructor(ms: number) {
    this.#ms = ms
  }

  stir(): void {
    this.#last = systemClock.now()
  }

  async wait(): Promise<void> {
    this.stir()
    for (let until = this.#end(); until > systemClock.now(); until = this.#end())
      await new Promise<void>((resolve) => systemClock.schedule(until, resolve))
  }

  #end(): ReturnType<typeof later> {
    return later(this.#last, duration(this.#ms))
  }
}
