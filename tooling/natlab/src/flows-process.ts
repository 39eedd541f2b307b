/**
 * One end of many transfers at once, in one process: `flows-process.js listen COUNT TICKET`, or `dial`. Each
 * is a connection of a peer of its own, with one stream both ways. It sends a little ten times a second,
 * until it is told to end.
 *
 * A line on stdin is a command: `to` and the listeners' tickets, `measure`, `end`.
 */
import { createHash, randomFillSync } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { type Connection, Peer, type Stream } from '@showchain/client'
import { generateIdentity } from '@showchain/crypto'

/** What is known of one transfer when it is over. */
export interface Flow {
  /** SHA-256 of what this end sent, and of what came. */
  readonly sent: string
  readonly received: string
  readonly bytes: number
  /** The longest time without a byte since `measure`, in ms, and when it was over. */
  readonly gap: number
  readonly gapUntil: number
}

/** 20 kB/s each way: what twenty of them wait for is the fleet, and not this machine. */
const PIECE_BYTES = 2 * 1024
const PAUSE_MS = 100
/** A node that is busy with its restart may refuse the first tries. */
const PATIENCE = 60_000

const [role, count, relay] = process.argv.slice(2) as [string, string, string]
const report = (event: string, more: object = {}): void =>
  void process.stdout.write(`${JSON.stringify({ event, ...more })}\n`)

const told = { measured: Number.POSITIVE_INFINITY, ended: false }
const commands = new EventEmitter<{ to: [readonly string[]] }>()
createInterface({ input: process.stdin }).on('line', (line) => {
  const [command, ...words] = line.split(' ')
  if (command === 'measure') told.measured = performance.now()
  if (command === 'end') told.ended = true
  if (command === 'to') commands.emit('to', words)
})

const peers = await Promise.all(
  Array.from({ length: Number(count) }, async () =>
    Peer.open({
      identity: await generateIdentity(),
      relays: [relay],
      listen: [{ host: '0.0.0.0' }],
      addressPolicy: 'lab',
      accept: 'everyone',
      onWarning: (message) => report('warning', { message }),
    }),
  ),
)
/** What becomes of one transfer, for who asks why nothing came. */
const seen = (flow: number, what: object): void =>
  report('seen', { flow, after: Math.round(performance.now() - told.measured), ...what })
for (const [index, peer] of peers.entries())
  peer.on('relay', ({ state, at, reason }) => seen(index, { state, at: at?.ip, reason }))
await Promise.all(peers.map((peer) => peer.registered({ timeout: PATIENCE })))

const begun = { flows: 0 }
const flows = role === 'listen' ? listen() : dial()
const done = await Promise.all(await flows)
report('done', { flows: done })
await Promise.all(peers.map((peer) => peer.close()))
process.exit(0)

async function listen(): Promise<readonly Promise<Flow>[]> {
  report('ready', { tickets: peers.map(({ ticket }) => ticket) })
  return peers.map(async (peer, index) => {
    for await (const connection of peer.incoming)
      for await (const stream of connection.streams) return await flow(connection, stream, index)
    throw new Error('a peer ended before a connection came')
  })
}

async function dial(): Promise<readonly Promise<Flow>[]> {
  report('ready')
  const [tickets] = (await once(commands, 'to')) as [readonly string[]]
  return peers.map(async (peer, index) => {
    const connection = await peer.connect(tickets[index] as string, { via: 'relay-only', timeout: PATIENCE })
    return await flow(connection, await connection.openStream(), index)
  })
}

async function flow(connection: Connection, stream: Stream, index: number): Promise<Flow> {
  connection.on('path', (path) => seen(index, { path }))
  const [sent, received] = await Promise.all([send(stream), receive(stream)])
  // The other end has to hear that everything arrived.
  await stream.closed
  if (connection.closedBecause !== undefined) report('closed', { why: connection.closedBecause })
  return { sent, ...received }
}

async function send(stream: Stream): Promise<string> {
  const hash = createHash('sha256')
  while (!told.ended) {
    const piece = randomFillSync(new Uint8Array(PIECE_BYTES))
    hash.update(piece)
    await stream.write(piece)
    await setTimeout(PAUSE_MS)
  }
  await stream.end()
  return hash.digest('hex')
}

async function receive(stream: Stream): Promise<Omit<Flow, 'sent'>> {
  const hash = createHash('sha256')
  let [bytes, gap, gapUntil, last] = [0, 0, 0, Number.NaN]
  for (let piece = await stream.read(); piece !== undefined; piece = await stream.read()) {
    if (bytes === 0 && ++begun.flows === peers.length) report('running')
    hash.update(piece)
    bytes += piece.length
    const now = performance.now()
    const silent = now - Math.max(last, told.measured)
    if (silent > gap) [gap, gapUntil] = [silent, now - told.measured]
    last = now
  }
  return { received: hash.digest('hex'), bytes, gap, gapUntil }
}
