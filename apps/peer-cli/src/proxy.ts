/** `showchain stdio`: stdin and stdout as one connection to what the remote peer serves. */
import { type LocalSocket, splice, TunnelError, TunnelStream } from '@showchain/tunnel'
import { ephemeralUnlessTold, viaOf } from './connect.ts'
import { ticketOf } from './contacts.ts'
import { TransferError } from './failures.ts'
import type { TunnelFlags } from './forward.ts'
import { failureOf, lastAcknowledged } from './goodbye.ts'
import { timeoutOf } from './open-peer.ts'
import { outputFor } from './output.ts'
import { reached } from './reaching.ts'
import { withPeer } from './session.ts'
import { destroyStdin, openStdin, openStdout } from './stdio.ts'
import { explained } from './waits.ts'

/** Ends when both directions have. */
export async function stdio(text: string, flags: TunnelFlags): Promise<void> {
  const output = outputFor({ ...flags, pipe: true })
  try {
    const via = viaOf(flags)
    const timeout = timeoutOf(flags)
    const ticket = ticketOf(text, flags)
    await withPeer(ephemeralUnlessTold(flags), output, 'nobody', async (session) => {
      const local = new Stdio()
      const connecting = session.peer.connect(ticket, { via, timeout })
      const connection = await reached(session, { ticket, via, flags }, connecting)
      session.add(connection, text)
      try {
        const stream = await TunnelStream.open(connection, 'bytes')
        // Its failure is one of what reads the stream.
        explained(output, 'waiting for the target of the remote peer', stream.answered()).catch(() => {})
        await splice(local, stream, { counters: session.bytes })
        await lastAcknowledged(connection)
        await connection.close()
      } catch (error) {
        if (local.failure !== undefined) throw local.failure
        if (connection.end !== undefined) throw failureOf(connection)
        throw error instanceof TunnelError && error.reason === 'reset' ? resetError() : error
      }
    })
  } catch (error) {
    throw output.failed(error)
  }
}

const resetError = (): TransferError => new TransferError('not everything was transferred: the connection was reset')

/** The standard streams of the program as a connection. */
class Stdio implements LocalSocket {
  readonly #out = openStdout()
  #in: AsyncIterator<Uint8Array> | undefined
  /** Why the program's own side ended early. */
  failure: TransferError | undefined

  async read(): Promise<Uint8Array | undefined> {
    try {
      this.#in ??= openStdin()[Symbol.asyncIterator]()
      const { value, done } = await this.#in.next()
      return done ? undefined : value
    } catch (error) {
      throw this.#failed(error)
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#out.write(bytes).catch((error: unknown) => {
      throw this.#failed(error)
    })
  }

  async end(): Promise<void> {
    await this.#out.close()
  }

  reset(): void {
    destroyStdin()
  }

  #failed(error: unknown): TransferError {
    this.failure ??=
      error instanceof TransferError
        ? error
        : new TransferError(`stdin: ${error instanceof Error ? error.message : String(error)}`)
    return this.failure
  }
}
