/**
 * The socket of a running program, at which `showchain status` asks. It reads nothing, answers once,
 * and is there as long as the program; a program that was killed leaves a file, which `status` removes.
 */
import { chmodSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { Connection, Peer } from '@showchain/client'
import { formatEndpoint } from '@showchain/wire'
import { runtimeFolder, socketName } from './runtime-folder.ts'
import { type ConnectionStatus, MAX_TOLD, STATUS_VERSION, type Status } from './status-report.ts'

/** At a time; a person asks once. */
const MAX_ASKING = 8
/** Milliseconds for one who asks to take the answer. */
const PATIENCE = 1000

interface Told {
  readonly peer: Peer
  readonly connections: ReadonlySet<Connection>
  readonly seconds: number
}

/** Until the program ends. A system that has no place for the socket does without. */
export async function keepStatusSocket(told: Told): Promise<void> {
  const folder = runtimeFolder(true)
  if (folder === undefined) return
  const path = join(folder, socketName(process.pid))
  // Of a program that had this number, and was killed.
  rmSync(path, { force: true })
  const server = createServer((socket) => {
    socket.on('error', () => {}).setTimeout(PATIENCE, () => socket.destroy())
    socket.end(JSON.stringify(statusOf(told)), () => socket.destroy())
  }).unref()
  server.maxConnections = MAX_ASKING
  await new Promise<void>((resolve) => {
    server.on('error', () => resolve()).listen(path, resolve)
  })
  if (!server.listening) return
  chmodSync(path, 0o600)
  process.once('exit', () => rmSync(path, { force: true }))
}

function statusOf({ peer, connections, seconds }: Told): Status {
  const { relays } = peer.inspect()
  const open = [...connections]
  return {
    version: STATUS_VERSION,
    pid: process.pid,
    // The program has no options before its command.
    command: process.argv[2] ?? '',
    id: peer.id,
    seconds,
    relays: relays
      .slice(0, MAX_TOLD)
      .map(({ relay, at, state, over, permitUntil }) => ({ relay, at, state, over, permitUntil })),
    connections: open.slice(0, MAX_TOLD).map(statusOfConnection),
    more: Math.max(0, open.length - MAX_TOLD),
  }
}

function statusOfConnection({ remoteId, path, statistics }: Connection): ConnectionStatus {
  const shown = {
    kind: path.kind,
    at: formatEndpoint(path.remote),
    over: path.kind === 'relay' ? path.over : undefined,
  }
  if (statistics === undefined) return { peer: remoteId, path: shown }
  const { rtt, direct, relay } = statistics
  const sent = direct.sent + relay.sent
  const received = direct.received + relay.received
  return { peer: remoteId, path: shown, rtt, sent, received }
}
