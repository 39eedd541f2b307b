/**
 * The folder in which running programs of this user keep a socket each, which only this user enters:
 * `$XDG_RUNTIME_DIR/showchain`, or one of the system's folder for temporary files.
 */
import { lstatSync, mkdirSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

const OTHERS = 0o077
const SOCKET = /^[0-9]{1,10}\.sock$/

export const isSocketName = (name: string): boolean => SOCKET.test(name)
export const socketName = (pid: number): string => `${pid}.sock`

/**
 * Undefined where there is none, or where others could get at what is in it.
 * @param make also when it is not there
 */
export function runtimeFolder(make: boolean): string | undefined {
  if (process.platform === 'win32') return undefined
  const { XDG_RUNTIME_DIR } = process.env
  const { uid } = userInfo()
  const path = XDG_RUNTIME_DIR ? join(XDG_RUNTIME_DIR, 'showchain') : join(tmpdir(), `showchain-${uid}`)
  try {
    if (make) mkdirSync(path, { recursive: true, mode: 0o700 })
    const found = lstatSync(path)
    return found.isDirectory() && found.uid === uid && (found.mode & OTHERS) === 0 ? path : undefined
  } catch {
    return undefined
  }
}
