/**
 * Sockets of many pairs, and what can stand between them: a relay with a session for each pair, a
 * bare forwarder, coturn. Each in a process of its own, all with the same sockets.
 */
import type { Socket } from 'node:dgram'
import { decode, OP, type PeerId, type SessionId, sessionIdToBytes } from '@showchain/wire'
import { writeChannelHeader } from '@showchain/wire/end-to-end'
import { relayActor } from './actors.ts'
import { Child } from './child.ts'
import { Coturn } from './coturn.ts'
import { forgedPeer, registrationOf, sessionRequest } from './forged-peer.ts'
import type { ForwarderRequest } from './forwarder-process.ts'
import { exchange, LOOPBACK, openSocket } from './loopback.ts'
import { NO_FRAME_LIMITS } from './middle.ts'
import type { RelayRequest } from './relay-process.ts'

/** Of ChannelData (RFC 8656 §12.4). */
const CHANNEL_DATA_HEADER = 4
/** Of no length that is measured. */
const HELLO_BYTES = 100

export interface SocketPair {
  readonly from: Socket
  readonly to: Socket
}

export const openPairs = (count: number): Promise<SocketPair[]> =>
  Promise.all(Array.from({ length: count }, async () => ({ from: await openSocket(), to: await openSocket() })))

export interface Crossing {
  readonly name: string
  readonly port: number
  /** What the pair with this number sends: so many bytes, as they come to the one in the middle. */
  packet(pair: number, bytes: number): Uint8Array
  /** Both ends of all pairs say something: nobody is forgotten while others are measured. */
  refresh(): void
  /** How many bytes of them arrive. */
  arrives(bytes: number): number
  /** Of the process in the middle, with all its threads. */
  cpuSeconds(): number | Promise<number>
  stop(): Promise<void>
}

/** Peers whose keys nobody has: the relay takes each signature for good. */
export async function crossRelay(
  name: string,
  kind: 'batched' | 'dgram',
  pairs: readonly SocketPair[],
): Promise<Crossing> {
  const child = new Child('./relay-process.js')
  const { identity } = relayActor()
  const port = await child.ask<number>({
    ...{ type: 'open', kind, trusting: true, knownKeys: [], limits: NO_FRAME_LIMITS },
    privateKey: identity.toPem(),
  } satisfies RelayRequest)
  const ask = async (socket: Socket, request: Uint8Array) => {
    const answer = decode(await exchange(socket, () => request, port))
    if (!answer.ok) throw new Error(`The relay answered with what is no message: ${answer.refusal}.`)
    return answer.message
  }
  const register = async (socket: Socket): Promise<PeerId> => {
    const peer = forgedPeer(identity.publicKey.spki)
    const challenge = await ask(socket, registrationOf(peer, identity.id, Date.now()))
    if (challenge.op_code !== OP.challenge) throw new Error('The relay did not challenge.')
    await ask(socket, registrationOf(peer, identity.id, Date.now(), challenge.cookie))
    return peer.id
  }
  const open = async ({ from, to }: SocketPair): Promise<SessionId> => {
    const [id, target] = [await register(from), await register(to)]
    const answer = await ask(from, sessionRequest(id, target, Date.now()))
    if (answer.op_code !== OP.proxyResponse) throw new Error('The relay opened no session.')
    return answer.session
  }
  const sessions: SessionId[] = []
  for (const pair of pairs) sessions.push(await open(pair))
  const packet = (pair: number, bytes: number): Uint8Array => {
    const frame = new Uint8Array(bytes).fill(0x5a)
    writeChannelHeader(frame, sessionIdToBytes(sessions[pair] as SessionId))
    return frame
  }
  const refresh = (): void => {
    // The target's first word is its consent, too.
    for (const [pair, { from, to }] of pairs.entries())
      for (const socket of [to, from]) socket.send(packet(pair, HELLO_BYTES), port, LOOPBACK)
  }
  refresh()
  return {
    ...{ name, port, packet, refresh },
    arrives: (bytes) => bytes,
    cpuSeconds: () => child.ask<number>({ type: 'cpu' }),
    stop: () => child.stop(),
  }
}

export async function crossForwarder(name: string, pairs: readonly SocketPair[]): Promise<Crossing> {
  const child = new Child('./forwarder-process.js')
  const ports = pairs.map(({ from, to }) => [from.address().port, to.address().port] as const)
  const port = await child.ask<number>({ type: 'open', pairs: ports } satisfies ForwarderRequest)
  return {
    ...{ name, port, refresh: () => {} },
    packet: (_pair, bytes) => new Uint8Array(bytes),
    arrives: (bytes) => bytes,
    cpuSeconds: () => child.ask<number>({ type: 'cpu' }),
    stop: () => child.stop(),
  }
}

/** Undefined where coturn is not installed. */
export async function crossCoturn(name: string, pairs: readonly SocketPair[]): Promise<Crossing | undefined> {
  const coturn = await Coturn.start()
  if (coturn === undefined) return undefined
  for (const { from, to } of pairs) await coturn.bind(from, to.address().port)
  return {
    ...{ name, port: coturn.port, refresh: () => {} },
    packet: (_pair, bytes) => Coturn.channelData(bytes - CHANNEL_DATA_HEADER),
    arrives: (bytes) => bytes - CHANNEL_DATA_HEADER,
    cpuSeconds: () => coturn.cpuSeconds(),
    stop: () => coturn.stop(),
  }
}
