/**
 * One program for each identity file: relays know one address of an identity, so two programs would
 * take each other's registration again and again. The lock is a local socket, which the system takes
 * back from a program that was killed.
 */
import { createHash } from 'node:crypto'
import { realpathSync, rmSync } from 'node:fs'
import { createConnection, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UsageError } from './failures.ts'

/** Bytes of the digest of the file's path: a socket's path has at most 100 or so. */
const DIGEST = 12

function socketOf(file: string): string {
  const name = `showchain-${createHash('sha256')
    .update(realpathSync(file))
    .digest('hex')
    .slice(0, 2 * DIGEST)}`
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\${name}`
    : join(process.env.XDG_RUNTIME_DIR || tmpdir(), `${name}.lock`)
}

const listening = (path: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy()).unref()
    server.once('error', reject).listen(path, () => resolve(server))
  })

/** Whether a program listens there. */
const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(path)
    const settle = (found: boolean): void => {
      socket.destroy()
      resolve(found)
    }
    socket
      .once('connect', () => settle(true))
      .once('error', (error: NodeJS.ErrnoException) => {
        settle(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT')
      })
  })

/**
 * Until the program ends. A system that has no place for the lock does without.
 * @throws UsageError when another program has it
 */
export async function lockIdentity(file: string): Promise<void> {
  const path = socketOf(file)
  for (const last of [false, true]) {
    try {
      const server = await listening(path)
      process.once('exit', () => server.close())
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') return
    }
    if (last || (await answers(path)))
      throw new UsageError(
        `${file} is in use by another showchain, and both would lose their connections: end that one, or use --ephemeral or another --identity`,
      )
    rmSync(path, { force: true })
  }
}
