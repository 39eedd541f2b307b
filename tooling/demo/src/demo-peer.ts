/**
 * One peer of the demo: a process that runs `@showchain/client`. It takes commands over IPC,
 * reports the messages that it sends, and exits with its parent.
 */
import { createHash } from 'node:crypto'
import { type Connection, Peer } from '@showchain/client'
import { loadIdentity } from '@showchain/crypto'
import { describe, type Endpoint } from '@showchain/wire'
import { FileReceiver, fileOf, sendFile, streamFile } from './file-transfer.ts'
import type { PeerCommand, PeerReport } from './reports.ts'

const report = (message: PeerReport): void => void process.send?.(message)

let peer: Peer | undefined
const open = new Set<Connection>()

function follow(connection: Connection): void {
  open.add(connection)
  connection.on('close', () => open.delete(connection))
  connection.on('path', (path) => report({ type: 'path', path: path.kind }))
  void (connection.protected ? receiveStreams(connection) : receive(connection))
}

async function receiveStreams(connection: Connection): Promise<void> {
  for await (const { readable } of connection.streams) {
    const hash = createHash('sha256')
    let size = 0
    for await (const bytes of readable) {
      hash.update(bytes)
      size += bytes.length
    }
    report({ type: 'received', size, sha256: hash.digest('hex') })
  }
}

async function receive(connection: Connection): Promise<void> {
  const files = new FileReceiver()
  for await (const bytes of connection) {
    const file = files.take(bytes)
    if (file !== undefined) report({ type: 'received', size: file.length, sha256: sha256(file) })
  }
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Each command reports its result. */
const commands: { [Name in PeerCommand['type']]: (command: Extract<PeerCommand, { type: Name }>) => Promise<void> } = {
  async open({ identity, relay, keepAlive, plaintext }) {
    peer = await Peer.open({
      identity: await loadIdentity(identity),
      relays: [relay],
      listen: [{ host: '127.0.0.1', port: 0 }],
      addressPolicy: 'lab',
      plaintext,
      keepAlive,
      trace: ({ direction, at, remote, bytes, message }) => {
        if (direction === 'received' || message === undefined) return
        report({ type: 'sent', at, to: remote, size: bytes.length, op: message.op_code, text: describe(message) })
      },
    })
    void accept(peer)
    report({ type: 'opened', local: peer.addresses[0] as Endpoint })
    await peer.registered()
    report({ type: 'registered', ticket: peer.ticket })
  },
  async connect({ ticket, via }) {
    const connection = await (peer as Peer).connect(ticket, { via })
    follow(connection)
    report({ type: 'connected', path: connection.path.kind })
  },
  async sendFile({ size }) {
    const [connection] = open
    const file = fileOf(size)
    if (connection?.protected) await streamFile(connection, file)
    else await sendFile(connection as Connection, file, (done) => report({ type: 'progress', done, size }))
    report({ type: 'fileSent', size, sha256: sha256(file) })
  },
  async closeConnections() {
    for (const connection of open) await connection.close()
    report({ type: 'closed' })
  },
}

async function accept(from: Peer): Promise<void> {
  for await (const connection of from.incoming) {
    report({ type: 'incoming', path: connection.path.kind })
    follow(connection)
  }
}

process.on('message', (command: PeerCommand) => {
  const run = commands[command.type] as (command: PeerCommand) => Promise<void>
  run(command).catch((error: unknown) => report({ type: 'failed', what: command.type, why: (error as Error).message }))
})
process.once('disconnect', () => process.exit())
// Ctrl-C reaches the whole process group; the parent ends this process.
process.on('SIGINT', () => {})
