/** NATS servers of tests, as processes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

export const NATS = 'nats-server'

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { readonly port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** @param ends is called with what ends it @returns its process, when it listens */
export async function startNats(
  port: number,
  args: readonly string[],
  ends: { push(end: () => unknown): void },
): Promise<ChildProcess> {
  const child = spawn(NATS, ['-a', '127.0.0.1', '-p', String(port), ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  ends.push(() => child.kill('SIGKILL'))
  let said = ''
  await new Promise<void>((resolve) => {
    child.stderr.on('data', (piece: Buffer) => {
      said += piece.toString()
      if (said.includes('Server is ready')) resolve()
    })
  })
  return child
}
