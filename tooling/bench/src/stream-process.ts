/**
 * One end of a connection in a process of its own, of ours or of HyperDHT: it listens and drains
 * what comes, or connects and sends. Or HyperDHT's relay.
 */
import type { Duplex } from 'node:stream'
import { type Connection, Peer, toDuplex } from '@showchain/client'
import { allowGarbage } from '@showchain/client/runtime'
import { generateIdentity } from '@showchain/crypto'
import type HyperDHT from 'hyperdht'
import { serve } from './child.ts'
import { cpuSeconds, LOOPBACK } from './loopback.ts'
import type { Theirs } from './testnet.ts'

/** Whose connections: ours with the relays' tickets, or HyperDHT's. */
export type Kind = { readonly relays: readonly string[] } | Theirs
export type StreamRequest =
  | { readonly type: 'listen'; readonly kind: Kind }
  /** HyperDHT's: ours has a process of its own. */
  | { readonly type: 'relay'; readonly bootstrap: Theirs['bootstrap'] }
  | { readonly type: 'connect'; readonly kind: Kind; readonly to: string; readonly via: 'direct' | 'relay-only' }
  /** On so many streams at once; HyperDHT's connection is one. */
  | { readonly type: 'send'; readonly bytes: number; readonly streams: number }
  | { readonly type: 'cpu' | 'close' }

const PIECE: Uint8Array = new Uint8Array(64 * 1024).fill(0x5a)

let peer: Peer | undefined
let dht: HyperDHT | undefined
let connection: Connection | undefined
/** HyperDHT's. */
let duplex: Duplex | undefined

const drain = (stream: Duplex): void => {
  stream.on('error', () => {})
  stream.on('end', () => stream.end())
  stream.resume()
}

async function openPeer(relays: readonly string[]): Promise<Peer> {
  const opened = await Peer.open({
    identity: await generateIdentity(),
    relays,
    listen: [{ host: LOOPBACK }],
    addressPolicy: 'lab',
  })
  peer = opened
  if (relays.length > 0) await opened.registered()
  return opened
}

async function relay(bootstrap: Theirs['bootstrap']): Promise<string> {
  const { relayDht } = await import('./hyperdht-node.ts')
  const { node, key } = await relayDht(bootstrap)
  dht = node
  return key
}

async function listen(kind: Kind): Promise<string> {
  if ('bootstrap' in kind) {
    const { listenDht } = await import('./hyperdht-node.ts')
    const { node, key } = await listenDht(kind, drain)
    dht = node
    return key
  }
  const opened = await openPeer(kind.relays)
  void (async () => {
    for await (const connection of opened.incoming)
      void (async () => {
        for await (const stream of connection.streams) drain(toDuplex(stream))
      })()
  })()
  return opened.ticket
}

/** @returns milliseconds until the connection was open. */
async function connect(kind: Kind, to: string, via: 'direct' | 'relay-only'): Promise<number> {
  if ('bootstrap' in kind) {
    const { openDht, dialDht } = await import('./hyperdht-node.ts')
    dht = openDht(kind)
    const started = performance.now()
    duplex = await dialDht(dht, to, kind)
    return performance.now() - started
  }
  const opened = await openPeer([])
  const started = performance.now()
  connection = await opened.connect(to, { via })
  return performance.now() - started
}

/** @returns seconds until the other end had everything, and said so. */
async function send(bytes: number, streams: number): Promise<number> {
  const started = performance.now()
  const all: Duplex[] = []
  for (let index = 0; index < streams; index++)
    all.push(connection === undefined ? (duplex as Duplex) : toDuplex(await connection.openStream()))
  await Promise.all(all.map((stream) => sendOn(stream, bytes / streams)))
  return (performance.now() - started) / 1000
}

async function sendOn(stream: Duplex, bytes: number): Promise<void> {
  const ended = new Promise((resolve, reject) => stream.once('end', resolve).once('error', reject))
  // It may fail before anybody waits for it.
  ended.catch(() => {})
  stream.resume()
  for (let sent = 0; sent < bytes; sent += PIECE.length)
    if (!stream.write(PIECE)) await Promise.race([new Promise((resolve) => stream.once('drain', resolve)), ended])
  stream.end()
  await ended
}

async function close(): Promise<number> {
  await peer?.close()
  await dht?.destroy()
  peer = undefined
  dht = undefined
  return 0
}

function answer(request: StreamRequest): Promise<number | string> | number {
  switch (request.type) {
    case 'listen':
      return listen(request.kind)
    case 'relay':
      return relay(request.bootstrap)
    case 'connect':
      return connect(request.kind, request.to, request.via)
    case 'send':
      return send(request.bytes, request.streams)
    case 'cpu':
      return cpuSeconds()
    case 'close':
      return close()
  }
}

// As the program does. It serves HyperDHT as well.
allowGarbage()
serve(answer)
