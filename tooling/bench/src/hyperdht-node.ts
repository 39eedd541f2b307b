/** HyperDHT's ends and its relay, for a process of the benchmark. Loaded only where it is measured. */
import type { Duplex } from 'node:stream'
import { Server } from 'blind-relay'
import HyperDHT from 'hyperdht'
import { LOOPBACK } from './loopback.ts'
import type { Theirs } from './testnet.ts'

/**
 * On one host nothing is behind a NAT: without these options a peer takes itself for one that
 * everybody reaches.
 */
export const openDht = ({ bootstrap, relay }: Theirs): HyperDHT =>
  new HyperDHT({ bootstrap, host: LOOPBACK, ...(relay === undefined ? {} : { quickFirewall: false, ephemeral: true }) })

/** @returns its key, in hexadecimal digits */
export async function relayDht(bootstrap: Theirs['bootstrap']): Promise<{ node: HyperDHT; key: string }> {
  const node = new HyperDHT({ bootstrap, host: LOOPBACK, quickFirewall: false })
  const passing = new Server({ createStream: (options) => node.createRawStream({ ...options, framed: true }) })
  const server = node.createServer({}, (socket) => {
    socket.on('error', () => {})
    passing.accept(socket, { id: socket.remotePublicKey }).on('error', () => {})
  })
  await server.listen()
  return { node, key: Buffer.from(server.publicKey).toString('hex') }
}

/** @returns its key, in hexadecimal digits */
export async function listenDht(
  kind: Theirs,
  onStream: (stream: Duplex) => void,
): Promise<{ node: HyperDHT; key: string }> {
  const node = openDht(kind)
  const direct = kind.relay === undefined
  const server = node.createServer({ shareLocalAddress: direct, holepunch: () => direct }, onStream)
  await server.listen()
  return { node, key: Buffer.from(server.publicKey).toString('hex') }
}

/** @returns the stream when it is open */
export async function dialDht(node: HyperDHT, to: string, { relay }: Theirs): Promise<Duplex> {
  const through =
    relay === undefined ? {} : { relayThrough: Buffer.from(relay, 'hex'), fastOpen: false, localConnection: false }
  const stream = node.connect(Buffer.from(to, 'hex'), through)
  // It complains when the other process ends.
  stream.on('error', () => {})
  await new Promise((resolve, reject) => stream.once('open', resolve).once('error', reject))
  return stream
}
