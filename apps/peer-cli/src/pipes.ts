/** What `--pipe` does with stdin and stdout, by its flags. */
import type { Connection, Stream } from '@showchain/client'
import { UsageError } from './failures.ts'
import { type Direction, pipe } from './pipe.ts'
import type { Session } from './session.ts'
import { openStdout, type Sink } from './stdio.ts'

export interface PipeFlags {
  readonly pipe?: boolean
  readonly sendOnly?: boolean
  readonly recvOnly?: boolean
}

/** @throws UsageError */
export function directionOf({ pipe, sendOnly, recvOnly }: PipeFlags): Direction {
  if (sendOnly && recvOnly) throw new UsageError('--send-only and --recv-only exclude each other')
  if ((sendOnly || recvOnly) && !pipe) throw new UsageError('--send-only and --recv-only are for --pipe')
  return sendOnly ? 'send' : recvOnly ? 'receive' : 'both'
}

export class Pipes {
  readonly #session: Session
  readonly #direction: Direction
  readonly #out: Sink = openStdout()
  /** stdout takes nothing any more. */
  broken = false

  /** Somebody at a terminal who pipes has nothing to send: it would never end. */
  constructor(session: Session, direction: Direction) {
    this.#session = session
    this.#direction = direction === 'both' && process.stdin.isTTY ? 'receive' : direction
    if (this.#direction !== direction)
      session.output.note('input', 'stdin is a terminal: nothing is sent from it (--send-only sends what you type)')
  }

  /** @param last stdout is closed at the end of the stream; @param first as of `pipe` */
  run(
    connection: Connection,
    { last = true, first }: { readonly last?: boolean; readonly first?: Stream | undefined } = {},
  ): Promise<void> {
    const write = async (bytes: Uint8Array): Promise<void> => {
      try {
        await this.#out.write(bytes)
      } catch (error) {
        this.broken = true
        throw error
      }
    }
    const close = async (): Promise<void> => (last ? this.#out.close() : undefined)
    return pipe(this.#session, connection, this.#direction, { write, close }, first)
  }
}
