/** Logs on stderr; the only line on stdout is the ticket. */
import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import type { Config } from './config.ts'

const STDERR = 2

/** @param worker the number of the process, where there are several */
export function logger(
  { logLevel, logFormat = process.stderr.isTTY ? 'pretty' : 'json' }: Config,
  worker?: number,
): Logger {
  const options = { level: logLevel, base: worker === undefined ? null : { worker } }
  const lines = pino.destination({ dest: STDERR, sync: true })
  // EPIPE: the reader has gone, and the relay goes on.
  lines.on('error', () => {})
  return pino(options, logFormat === 'pretty' ? pretty({ destination: lines, translateTime: 'HH:MM:ss.l' }) : lines)
}
