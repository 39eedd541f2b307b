/**
 * How far a transfer is: a bar on a terminal, an event each second with --json, nothing in a pipe but why nothing goes on.
 * The bar has the rate, the time left, the path of the moment and the file of the moment, as far as they fit.
 */
import type { Connection } from '@showchain/client'
import type { TransferProgress } from '@showchain/files'
import { type Options, SingleBar } from 'cli-progress'
import { shownBytes, shownTime } from './amounts.ts'
import type { Output } from './output.ts'
import { Rate } from './rate.ts'
import { shortened, widthOf } from './shortened.ts'
import { drawOnStderr } from './stdio.ts'
import { Stall } from './waits.ts'

/** Milliseconds between two events of --json. */
const EVENT_STEP = 1000
/** Columns for the name of the file: the beginning and the end of a longer one. */
const NAME_COLUMNS = 24
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

/** What of a line is shown, from all of it to what nobody wants to miss. */
const LAYOUTS = [
  { bar: 20, way: true, amount: true, speed: true },
  { bar: 10, way: true, amount: true, speed: true },
  { bar: 10, way: false, amount: true, speed: true },
  { bar: 0, way: false, amount: true, speed: true },
  { bar: 0, way: false, amount: false, speed: true },
  { bar: 0, way: false, amount: false, speed: false },
] as const

/**
 * One line that fits the terminal. What matters less is left out until there is room for the name.
 * @param rate bytes a second
 */
export function barLine(progress: TransferProgress, rate: number | undefined, way: string, columns: number): string {
  const { bytes, totalBytes, path, checking } = progress
  const part = totalBytes === 0 ? 1 : bytes / totalBytes
  const left = rate === undefined || rate === 0 ? [] : [`${shownTime((totalBytes - bytes) / rate)} left`]
  const wanted = Math.min(widthOf(path), NAME_COLUMNS)
  let [figures, room] = ['', 0]
  for (const layout of LAYOUTS) {
    const full = Math.floor(part * layout.bar)
    const speed = rate === undefined || !layout.speed ? [] : [`${shownBytes(rate)}/s`]
    const parts = [
      `${layout.bar === 0 ? '' : `[${'='.repeat(full)}${' '.repeat(layout.bar - full)}] `}${Math.floor(100 * part)} %`,
      layout.amount ? `${shownBytes(bytes)} of ${shownBytes(totalBytes)}` : '',
      [...speed, ...left].join(', '),
      layout.way ? way : '',
    ]
    figures = `${parts.filter((each) => each !== '').join('  ')}  ${checking ? 'checking ' : ''}`
    // The last column stays free: some terminals begin a new line behind it.
    room = columns - 1 - figures.length
    if (room >= wanted) break
  }
  return `${figures}${shortened(path, room)}`.slice(0, room < 0 ? columns - 1 : undefined)
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
