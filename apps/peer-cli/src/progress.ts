/**
 * How far a transfer is: a bar on a terminal, an event each second with --json, nothing in a pipe but why nothing goes on.
 * The bar has the rate, the time left, the path of the moment and the file of the moment.
 */
import type { Connection } from '@showchain/client'
import type { TransferProgress } from '@showchain/files'
import { type Options, SingleBar } from 'cli-progress'
import { shownBytes, shownTime } from './amounts.ts'
import type { Output } from './output.ts'
import { Rate } from './rate.ts'
import { drawOnStderr } from './stdio.ts'
import { Stall } from './waits.ts'

/** Milliseconds between two events of --json. */
const EVENT_STEP = 1000
const BAR_WIDTH = 20
/** A terminal that does not say how wide it is. */
const COLUMNS = 80

type Show = (progress: TransferProgress) => void

/** Until the connection closes. */
export class ShownProgress {
  readonly #show: Show
  readonly #output: Output
  #stall: Stall | undefined
  #last: TransferProgress | undefined

  constructor(output: Output, connection: Connection, json: boolean) {
    this.#output = output
    this.#show = json ? events(output) : process.stderr.isTTY ? bar(connection) : () => {}
    connection.on('close', () => this.#stall?.end())
  }

  /** Something has come, or gone. */
  get begun(): boolean {
    return this.#last !== undefined && this.#last.bytes > 0
  }

  /** The offer was accepted: from now on something should go on. */
  begin(): void {
    this.#stall = new Stall(this.#output, () =>
      this.#last?.checking ? `checking what is there of ${this.#last.path}` : 'waiting for the other end',
    )
  }

  show(progress: TransferProgress): void {
    this.#last = progress
    if (!progress.checking) this.#stall?.goesOn()
    this.#show(progress)
  }
}

function events(output: Output): Show {
  let last = 0
  return (progress) => {
    const now = performance.now()
    if (now - last < EVENT_STEP && progress.bytes < progress.totalBytes) return
    last = now
    output.note('progress', `${progress.bytes} of ${progress.totalBytes} bytes`, { ...progress })
  }
}

/** One line that fits the terminal. @param rate bytes a second */
export function barLine(progress: TransferProgress, rate: number | undefined, way: string, columns: number): string {
  const { bytes, totalBytes, path, checking } = progress
  const part = totalBytes === 0 ? 1 : bytes / totalBytes
  const full = Math.floor(part * BAR_WIDTH)
  const left = rate === undefined || rate === 0 ? '' : `, ${shownTime((totalBytes - bytes) / rate)} left`
  const speed = rate === undefined ? '' : `  ${shownBytes(rate)}/s${left}`
  const figures = `${Math.floor(100 * part)} %  ${shownBytes(bytes)} of ${shownBytes(totalBytes)}${speed}  ${way}  `
  const line = `[${'='.repeat(full)}${' '.repeat(BAR_WIDTH - full)}] ${figures}${checking ? 'checking ' : ''}${path}`
  // The last column stays free: some terminals begin a new line behind it.
  return line.length < columns ? line : `${line.slice(0, columns - 2)}…`
}

function bar(connection: Connection): Show {
  const rate = new Rate()
  let shown: TransferProgress | undefined
  const format: Options['format'] = () =>
    shown === undefined
      ? ''
      : barLine(
          shown,
          rate.perSecond,
          connection.path.kind === 'direct' ? 'directly' : 'by relay',
          process.stderr.columns || COLUMNS,
        )
  const drawn = new SingleBar({ format, stream: process.stderr, clearOnComplete: true, fps: 5, linewrap: null })
  const stop = (): void => {
    drawn.stop()
    drawOnStderr(undefined)
  }
  connection.on('close', stop)
  return (progress) => {
    if (shown === undefined) {
      drawn.start(progress.totalBytes, 0)
      drawOnStderr(() => void process.stderr.write('\r\x1b[K'))
    }
    shown = progress
    rate.add(progress.bytes - progress.bytesBefore, performance.now())
    if (connection.end === undefined) drawn.update(progress.bytes)
  }
}
