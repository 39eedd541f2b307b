/** Files of the user's that nobody else reads, and that are there whole or as they were. */
import { renameSync, rmSync, writeFileSync } from 'node:fs'

/** Writes beside it and renames. @throws what node:fs does; then nothing is left beside it */
export function replacePrivateFile(path: string, text: string): void {
  const next = `${path}.${process.pid}.new`
  try {
    writeFileSync(next, text, { mode: 0o600 })
    renameSync(next, path)
  } catch (error) {
    rmSync(next, { force: true })
    throw error
  }
}
