/**
 * The frame of `listen` and `connect`: opens the peer, says goodbye to each connection on every way
 * out that the process notices, and prints the last event.
 */
import { constants } from 'node:os'
import type { CloseOptions, Connection, Peer, PeerOptions } from '@showchain/client'
import { contactMet, isTicket } from './contacts.ts'
import { Interrupted } from './failures.ts'
import { incomplete } from './goodbye.ts'
import { openPeer, type PeerFlags } from './open-peer.ts'
import { follow, type Output } from './output.ts'
import { keepStatusSocket } from './status-socket.ts'
import { destroyStdin } from './stdio.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** What a shell adds to the number of a signal. */
const SIGNALLED = 128

export class Session {
  readonly peer: Peer
  readonly output: Output
  /** Of a tunnel: what that counts. */
  bytes: { sent: number; received: number } = { sent: 0, received: 0 }
  /** Asked when a signal comes: whether something is not delivered, or not received to its end. */
  undone: () => boolean | Promise<boolean> = () => true
  /** Whether the command goes on when a connection ends. Otherwise it says why, as the last thing. */
  outlives = false
  readonly #began = performance.now()
  /** Those that are open. */
  readonly connections: Set<Connection> = new Set<Connection>()
  /** What else the command has opened, closed before the connections. */
  readonly #opened: AsyncDisposable[] = []
  #last: Connection | undefined

  constructor(peer: Peer, output: Output) {
    this.peer = peer
    this.output = output
  }

  /**
   * A connection came to be: its events are printed, it gets a goodbye, and a contact is found there
   * next time. @param called the text of a ticket, or the name of a contact, that it was made with
   */
  add(connection: Connection, called?: string): void {
    this.connections.add(connection)
    this.#last = connection
    follow(connection, this.output, () => this.outlives)
    this.#met(connection, called)
    connection.on('path', () => this.#met(connection, called))
    connection.on('close', () => this.connections.delete(connection))
  }

  #met({ remoteId, path, protected: proven }: Connection, called: string | undefined): void {
    if (!proven) return
    try {
      contactMet(remoteId, path, called !== undefined && isTicket(called) ? called.trim() : undefined)
    } catch (error) {
      this.output.note('warning', `the contacts are not renewed: ${(error as Error).message}`)
    }
  }

  /** Closed with the session. */
  use<Opened extends AsyncDisposable>(opened: Opened): Opened {
    this.#opened.push(opened)
    return opened
  }

  async goodbye(options: CloseOptions): Promise<void> {
    for (const each of this.#opened.reverse()) await each[Symbol.asyncDispose]()
    await Promise.all([...this.connections].map((connection) => connection.close(options)))
  }

  /** Since it has its peer. */
  get seconds(): number {
    return Math.round(performance.now() - this.#began) / 1000
  }

  end(): void {
    const { seconds } = this
    const { sent, received } = this.bytes
    this.output.end({ bytes: { sent, received }, seconds, path: this.#last?.path })
  }
}

/**
 * Runs a command with an open peer, until it is done, fails, or is interrupted.
 *
 * @param protocols of streams that remote peers may open by name
 * @throws Reported
 */
export async function withPeer(
  flags: PeerFlags,
  output: Output,
  accept: PeerOptions['accept'],
  work: (session: Session) => Promise<void>,
  protocols: readonly string[] = [],
): Promise<void> {
  try {
    await using peer = await openPeer(flags, output, accept, protocols)
    const session = new Session(peer, output)
    // Before anything is printed: the process that reads it may send the signal at once.
    const ended = outside(session)
    try {
      await keepStatusSocket(session)
      await Promise.race([work(session), ended])
      await session.goodbye({})
    } catch (error) {
      await session.goodbye(error instanceof Done ? {} : incomplete(error instanceof Error ? error.message : ''))
      if (!(error instanceof Done)) throw error
    } finally {
      destroyStdin()
    }
    session.end()
    await output.flushed()
  } catch (error) {
    throw output.failed(error)
  }
}

/** A signal came when nothing was undone. */
class Done extends Error {}

/** What ends a command from outside: a signal or a bug. A second signal ends the process at once. */
function outside(session: Session): Promise<never> {
  return new Promise((_resolve, reject) => {
    process.once('uncaughtException', reject)
    for (const signal of SIGNALS) {
      const exitCode = SIGNALLED + constants.signals[signal]
      process.once(signal, async () => {
        for (const each of SIGNALS) process.on(each, () => process.exit(exitCode))
        reject((await session.undone()) ? new Interrupted(signal, exitCode) : new Done())
      })
    }
  })
}
