/** `showchain listen` and `showchain connect`: exchange lines, or pipe bytes. */
import { createInterface } from 'node:readline'
import type { Connection, DialPolicy, Peer } from '@showchain/client'
import { duration, later } from '@showchain/client/core'
import { systemClock } from '@showchain/client/runtime'
import { parseTicket, quote, ShowchainError } from '@showchain/wire'
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
/** Below the queue limit of a connection, so that slow connections do not fail. */
const MAX_PENDING_LINES = 256
const encoder = new TextEncoder()

/** Accepts connections until a signal. */
export async function listen(flags: ListenFlags): Promise<void> {
  const output = outputFor(flags)
  const accept = flags.allow === undefined ? 'everyone' : peerIds(flags.allow)
  const timeout = timeoutOf(flags)
  const peer = await openPeer(flags, output, accept)
  const stopped = closeOnSignal(peer)
  try {
    if ((flags.relay ?? []).length > 0) await peer.registered({ timeout })
    output.ticket(peer.ticket)
    if (accept === 'everyone') output.note('accept', 'any peer that has the ticket may connect; --allow restricts this')
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
    if (!stopped.aborted) throw error
  } finally {
    destroyStdin()
    await peer.close()
  }
}

/**
 * Connects, sends the lines of stdin, and ends when all are acknowledged and none was received for
 * a while.
 */
export async function connect(text: string, flags: ConnectFlags): Promise<void> {
  const output = outputFor(flags)
  const via = POLICIES.find((policy) => policy === flags.via)
  if (via === undefined) throw new UsageError(`--via is one of ${POLICIES.join(', ')}, not ${quote(flags.via)}`)
  const linger = wholeNumber('--linger', flags.linger, 0, 86_400) ?? 0
  const timeout = timeoutOf(flags)
  const ticket = parseTicket(text)
  const peer = await openPeer(flags, output, 'nobody')
  const stopped = closeOnSignal(peer)
  try {
    const connection = await peer.connect(ticket, { via, timeout })
    follow(connection, output)
    if (flags.pipe === true) return await pipe(connection)
    const conversation = conversationOn(connection)
    const idle = new IdleTimer(linger * 1000)
    void receive(connection, conversation, output, false, () => idle.restart())
    const input = lines()
    const closed = new Promise<string>((resolve) => connection.on('close', resolve))
    const sent = sendLines(input, () => [conversation], output)
    const gone = await Promise.race([sent.then(() => undefined), closed])
    if (gone !== undefined) throw new ShowchainError('ERR_CLOSED', gone)
    await Promise.race([idle.wait(), closed])
    if (await sent) throw new UndeliveredError('not every line was delivered')
  } catch (error) {
    if (!stopped.aborted) throw error
  } finally {
    destroyStdin()
    await peer.close()
  }
}

/** Pipes stdin and stdout to the first connection. */
async function pipeFirst(peer: Peer, output: Output): Promise<void> {
  const { value: connection, done } = await peer.incoming.next()
  if (done) return
  follow(connection, output)
  await pipe(connection)
}

/**
 * Aborted by the first SIGINT or SIGTERM, which closes the peer; a second one ends the process at
 * once.
 */
function closeOnSignal(peer: Peer): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      controller.abort()
      void peer.close()
    })
  }
  return controller.signal
}

const lines = (): ReturnType<typeof createInterface> =>
  createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })

/**
 * Closing the readline is not enough: it resumes stdin after its buffered lines, and keeps the
 * process alive.
 */
const destroyStdin = (): void => void process.stdin.destroy()

/** Sends each line on every open connection; resolves to true when a line was not delivered. */
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
    // Back-pressure: a file is read only as fast as its lines are acknowledged.
    while (sending.size >= MAX_PENDING_LINES) await Promise.race(sending)
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
  onLine = (): void => {},
): Promise<void> {
  const echoing = new Set<Promise<void>>()
  try {
    for await (const bytes of conversation.lines()) {
      onLine()
      output.message(remoteId, bytes)
      if (!echo) continue
      const sent = conversation.send(bytes).catch((error: unknown) => {
        output.note('undelivered', `not echoed: ${(error as Error).message}`, { peer: remoteId })
      })
      echoing.add(sent)
      void sent.then(() => echoing.delete(sent))
      while (echoing.size >= MAX_PENDING_LINES) await Promise.race(echoing)
    }
  } catch {
    // The connection has closed; `follow` has printed why.
  }
}

/** Waits until nothing was received for a while. */
class IdleTimer {
  readonly #ms: number
  #last = systemClock.now()

  constructor(ms: number) {
    this.#ms = ms
  }

  restart(): void {
    this.#last = systemClock.now()
  }

  async wait(): Promise<void> {
    this.restart()
    for (let until = this.#end(); until > systemClock.now(); until = this.#end())
      await new Promise<void>((resolve) => systemClock.schedule(until, resolve))
  }

  #end(): ReturnType<typeof later> {
    return later(this.#last, duration(this.#ms))
  }
}
