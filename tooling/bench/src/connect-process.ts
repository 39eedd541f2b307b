/**
 * One end of the connections of `connect`, of ours or of HyperDHT, in a process that stays: it
 * listens, or gets ready and dials again and again, each time as somebody that nobody has met.
 */
import type { Duplex } from 'node:stream'
import { type Connection, type ConnectOptions, Peer } from '@showchain/client'
import { generateIdentity } from '@showchain/crypto'
import type HyperDHT from 'hyperdht'
import { serve } from './child.ts'
import { countingRuntime, type RsaOperations, rsaOperations } from './rsa-count.ts'
import type { Theirs } from './testnet.ts'

/** Ours with the tickets of its relays, or HyperDHT's. */
export type Whose = { readonly relays: readonly string[] } | Theirs

export type ConnectRequest =
  /** Of ours, at this address. */
  | { readonly type: 'listen' | 'prepare'; readonly whose: Whose; readonly host: string }
  | { readonly type: 'connect'; readonly to: string; readonly via: ConnectOptions['via'] }
  | { readonly type: 'rsa' | 'close' }

let peer: Peer | undefined
let dht: { readonly node: HyperDHT; readonly theirs: Theirs } | undefined
let stream: Duplex | undefined

async function openPeer(relays: readonly string[], host: string): Promise<Peer> {
  peer = await Peer.open({
    identity: await generateIdentity(),
    ...{ relays, runtime: countingRuntime, addressPolicy: 'lab' },
    listen: [{ host }],
  })
  await peer.registered()
  return peer
}

/** @returns where it is dialled */
async function listen(whose: Whose, host: string): Promise<string> {
  if ('relays' in whose) return (await openPeer(whose.relays, host)).ticket
  const { listenDht } = await import('./hyperdht-node.ts')
  const { node, key } = await listenDht(whose, (incoming) => {
    incoming.on('error', () => {})
    incoming.on('end', () => incoming.end())
    incoming.resume()
  })
  dht = { node, theirs: whose }
  return key
}

async function prepare(whose: Whose, host: string): Promise<undefined> {
  if ('relays' in whose) {
    await openPeer(whose.relays, host)
    return undefined
  }
  const { openDht } = await import('./hyperdht-node.ts')
  const node = openDht(whose)
  dht = { node, theirs: whose }
  await node.fullyBootstrapped()
  return undefined
}

/** @returns milliseconds until the connection was open */
async function connect(to: string, via: ConnectOptions['via']): Promise<number> {
  if (dht === undefined) {
    const started = performance.now()
    const connection: Connection | undefined = await peer?.connect(to, { via })
    if (connection === undefined) throw new Error('Nobody is prepared.')
    return performance.now() - started
  }
  const { dialDht } = await import('./hyperdht-node.ts')
  const started = performance.now()
  stream = await dialDht(dht.node, to, dht.theirs)
  return performance.now() - started
}

async function close(): Promise<undefined> {
  await peer?.close()
  stream?.destroy()
  await dht?.node.destroy()
  peer = undefined
  stream = undefined
  dht = undefined
  return undefined
}

function answer(request: ConnectRequest): Promise<string | number | undefined> | RsaOperations {
  switch (request.type) {
    case 'listen':
      return listen(request.whose, request.host)
    case 'prepare':
      return prepare(request.whose, request.host)
    case 'connect':
      return connect(request.to, request.via)
    case 'rsa':
      return rsaOperations()
    case 'close':
      return close()
  }
}

serve(answer)
