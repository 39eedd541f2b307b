/** `showchain connect`: connects to the peer of a ticket and sends it lines, or pipes bytes. */
import type { Connection, DialPolicy } from '@showchain/client'
import { duration, later } from '@showchain/client/core'
import { systemClock } from '@showchain/client/runtime'
import { quote } from '@showchain/wire'
import { ticketOf } from './contacts.ts'
import { conversationOn } from './conversation.ts'
import { UsageError } from './failures.ts'
import { failureOf } from './goodbye.ts'
import { type PeerFlags, timeoutOf, wholeNumber } from './open-peer.ts'
import { outputFor } from './output.ts'
import { directionOf, type PipeFlags, Pipes } from './pipes.ts'
import { reached } from './reaching.ts'
import { type Session, withPeer } from './session.ts'
import { nameOf } from './sources.ts'
import { stdoutFailed } from './stdio.ts'
import { notEveryLine, receiveLines, sendLines, undelivered } from './talk.ts'

export interface ConnectFlags extends PeerFlags, PipeFlags {
  readonly via: string
  readonly linger: string
  readonly asMe?: boolean
}

export const WAYS: readonly DialPolicy[] = ['auto', 'direct-only', 'relay-only', 'direct', 'punch']

/** @throws UsageError */
export function viaOf(flags: Pick<ConnectFlags, 'via' | 'from'>): DialPolicy {
  const via = WAYS.find((policy) => policy === flags.via)
  if (via === undefined)
    throw new UsageError(`${nameOf(flags, 'via')} is one of ${WAYS.join(', ')}, not ${quote(flags.via)}`)
  return via
}

/** One identity has one place at a relay, which a listener with it needs. */
export function ephemeralUnlessTold<Flags extends PeerFlags & Pick<ConnectFlags, 'asMe'>>(flags: Flags): Flags {
  return { ...flags, ephemeral: flags.ephemeral === true || (flags.identity === undefined && flags.asMe !== true) }
}

export async function connect(text: string, flags: ConnectFlags): Promise<void> {
  const output = outputFor(flags)
  try {
    const direction = directionOf(flags)
    const via = viaOf(flags)
    const linger = wholeNumber(flags, 'linger', 0, 86_400) ?? 0
    const timeout = timeoutOf(flags)
    const ticket = ticketOf(text, flags)
    await withPeer(ephemeralUnlessTold(flags), output, 'nobody', async (session) => {
      const pipes = flags.pipe ? new Pipes(session, direction) : undefined
      const connecting = session.peer.connect(ticket, { via, timeout })
      const connection = await reached(session, { ticket, via, flags }, connecting)
      session.add(connection, text)
      if (pipes === undefined) await talk(session, connection, linger)
      else await pipes.run(connection)
    })
  } catch (error) {
    throw output.failed(error)
  }
}

/** Ends when all lines are acknowledged and none was received for a while. */
async function talk(session: Session, connection: Connection, linger: number): Promise<void> {
  const conversation = conversationOn(connection)
  const idle = new IdleTimer(linger * 1000)
  session.undone = () => undelivered([conversation])
  void receiveLines(session, connection, conversation, false, () => idle.restart())
  const closed = new Promise<'closed'>((resolve) => connection.on('close', () => resolve('closed')))
  const sent = sendLines(session, () => [conversation])
  const lost = await Promise.race([sent, closed, stdoutFailed()])
  if (lost === 'closed') throw failureOf(connection)
  await Promise.race([idle.wait(), closed, stdoutFailed()])
  if (lost) throw notEveryLine()
  if (connection.end?.by === 'failure') throw failureOf(connection)
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
