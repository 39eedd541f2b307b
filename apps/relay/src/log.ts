/** Logs on stderr: stdout belongs to the ticket. */
import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import type { Config } from './config.ts'

const STDERR = 2

export function logger({ logLevel, logFormat = process.stderr.isTTY ? 'pretty' : 'json' }: Config): Logger {
  const options = { level: logLevel, base: null }
  return logFormat === 'pretty'
    ? pino(options, pretty({ destination: STDERR, sync: true, translateTime: 'HH:MM:ss.l' }))
    : pino(options, pino.destination({ dest: STDERR, sync: true }))
}
