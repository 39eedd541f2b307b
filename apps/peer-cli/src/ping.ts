/** `showchain ping`: round trips to the peer of a ticket, by path, and whether the path is direct. */
import type { Connection, Path, Pong } from '@showchain/client'
import { ShowchainError } from '@showchain/wire'
import { type ConnectFlags, ephemeralUnlessTold, viaOf } from './connect.ts'
import { ticketOf } from './contacts.ts'
import { NotDirectError, UnreachableError, UsageError } from './failures.ts'
import { endWords } from './goodbye.ts'
import { timeoutOf, wholeNumber } from './open-peer.ts'
import { describePath, type Output, outputFor } from './output.ts'
import { reached } from './reaching.ts'
import { withPeer } from './session.ts'
import { stdoutFailed } from './stdio.ts'

export interface PingFlags extends Omit<ConnectFlags, 'linger'> {
  readonly count?: string
  readonly untilDirect?: boolean
}

/** Pings, and how many at most with --until-direct: hole punching that finds nothing ends after 15 s. */
const COUNT = 4
const COUNT_UNTIL_DIRECT = 20
/** Milliseconds between the beginnings of two pings, and how long an answer is waited for. */
const GAP = 1000
const PATIENCE = 3000

/** @throws Reported: 3 the peer cannot be reached, 4 only through a relay */
export async function ping(text: string, flags: PingFlags): Promise<void> {
  const output = outputFor(flags)
  try {
    const via = viaOf(flags)
    const most = flags.untilDirect === true ? COUNT_UNTIL_DIRECT : COUNT
    const count = wholeNumber(flags, 'count', 1, 1_000_000) ?? most
    const timeout = timeoutOf(flags)
    const ticket = ticketOf(text, flags)
    if (flags.plaintext === true) throw new UsageError('ping needs an encrypted connection: remove --plaintext')
    await withPeer(ephemeralUnlessTold(flags), output, 'nobody', async (session) => {
      const connecting = session.peer.connect(ticket, { via, timeout })
      const connection = await reached(session, { ticket, via, flags }, connecting)
      session.add(connection, text)
      const pings = new Pings(connection, output)
      await Promise.race([pings.run(count, flags.untilDirect === true), stdoutFailed()])
      const why = via === 'relay-only' ? 'only the relay was asked for' : whyRelayed(connection)
      pings.report(why)
      const { end } = connection
      // For the remote peer a ping that found no direct path is no failure.
      await connection.close()
      if (end !== undefined) throw new UnreachableError(`the connection ended: ${endWords(end)}`)
      if (pings.answered === 0) throw new UnreachableError('the remote peer answered no ping')
      if (connection.path.kind === 'relay') throw new NotDirectError(`no direct path: ${why}`)
    })
  } catch (error) {
    throw output.failed(error)
  }
}

class Pings {
  readonly #connection: Connection
  readonly #output: Output
  readonly #began = performance.now()
  /** Milliseconds after the beginning at which the path was direct first. */
  #directAfter: number | undefined
  #sent = 0
  /** Round trips by kind of path. */
  readonly #rtts: { readonly [Kind in Path['kind']]: number[] } = { relay: [], direct: [] }

  constructor(connection: Connection, output: Output) {
    this.#connection = connection
    this.#output = output
    const look = ({ kind }: Path): void => {
      if (kind === 'direct') this.#directAfter ??= performance.now() - this.#began
    }
    look(connection.path)
    connection.on('path', look)
  }

  get answered(): number {
    return this.#rtts.relay.length + this.#rtts.direct.length
  }

  async run(count: number, untilDirect: boolean): Promise<void> {
    while (this.#sent < count && this.#connection.end === undefined) {
      const due = performance.now() + GAP
      const pong = await this.#ping()
      if (untilDirect && pong?.path.kind === 'direct') return
      if (this.#sent < count && this.#connection.end === undefined)
        await new Promise((resolve) => setTimeout(resolve, due - performance.now()))
    }
  }

  async #ping(): Promise<Pong | undefined> {
    const seq = ++this.#sent
    try {
      const pong = await this.#connection.ping({ timeout: PATIENCE })
      const { path } = pong
      const rtt = rounded(pong.rtt)
      this.#rtts[path.kind].push(rtt)
      this.#output.result('ping', `${seq}: ${ms(rtt)} ${describePath(pong)}`, { seq, rtt, path })
      return pong
    } catch (error) {
      if (!(error instanceof ShowchainError)) throw error
      const why = error.code === 'ERR_TIMEOUT' ? `in ${PATIENCE / 1000} s` : 'before the end of the connection'
      this.#output.result('ping', `${seq}: no answer ${why}`, { seq, lost: true })
      return undefined
    }
  }

  /** @param why there is no direct path, if there is none */
  report(why: string): void {
    const { answered } = this
    const [sent, lost] = [this.#sent, this.#sent - answered]
    const paths = (['relay', 'direct'] as const).flatMap((kind) => {
      const rtts = this.#rtts[kind]
      const mean = rounded(rtts.reduce((sum, rtt) => sum + rtt, 0) / rtts.length)
      return rtts.length === 0
        ? []
        : [{ kind, answered: rtts.length, min: Math.min(...rtts), mean, max: Math.max(...rtts) }]
    })
    const directAfter = this.#directAfter === undefined ? undefined : Math.round(this.#directAfter) / 1000
    const { kind } = this.#connection.path
    const sentences = [
      `${sent} ${sent === 1 ? 'ping' : 'pings'}, ${answered} answered, ${Math.round((100 * lost) / sent)} % lost`,
      ...paths.map(
        (of) => `${WORDS[of.kind]}: ${ms(of.min)} at least, ${ms(of.mean)} on average, ${ms(of.max)} at most`,
      ),
      ...(directAfter === undefined
        ? []
        : [`direct ${directAfter === 0 ? 'from the beginning' : `after ${directAfter} s`}`]),
    ]
    const details = { sent, answered, lost, paths, directAfter, why: kind === 'direct' ? undefined : why }
    this.#output.result('pings', sentences.join('\n'), details)
  }
}

const WORDS = { relay: 'through the relay', direct: 'directly' } as const

const ms = (rtt: number): string => `${rtt.toFixed(1)} ms`
/** Microseconds are enough. */
const rounded = (ms: number): number => Math.round(1000 * ms) / 1000

/** What became of each direct way that was tried. */
function whyRelayed({ timeline }: Connection): string {
  const failed = timeline.flatMap(({ attempt }) =>
    attempt?.state === 'failed' && attempt.via !== 'relay' ? [attempt] : [],
  )
  if (failed.length === 0) return 'hole punching has found no path so far'
  return failed.map(({ via, at, why }) => `${via} by ${at}: ${why}`).join('; ')
}
