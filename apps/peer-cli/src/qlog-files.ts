/** `--qlog FILE`: the recording of each connection in a file of its own. */
import { openSync, writeSync } from 'node:fs'
import type { PeerOptions } from '@showchain/client'

/**
 * The first connection is recorded in `path`, the next ones in `path.2`, `path.3` and so on. Each
 * text is written at once, so that a process that is killed leaves a readable file.
 *
 * @param warn called when a file cannot be written; its recording ends there
 */
export function qlogFiles(path: string, warn: (sentence: string) => void): NonNullable<PeerOptions['qlog']> {
  let count = 0
  return () => {
    count++
    const file = count === 1 ? path : `${path}.${count}`
    let descriptor: number | undefined
    const attempt = (write: () => void): void => {
      try {
        write()
      } catch (error) {
        descriptor = undefined
        warn(`the recording ${file} is not complete: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    attempt(() => {
      descriptor = openSync(file, 'w', 0o600)
    })
    return (text) => {
      if (descriptor !== undefined) attempt(() => void writeSync(descriptor as number, text))
    }
  }
}
