/** Which sockets this process uses: those of node:dgram, or batched ones where they work. */
import { quote, ShowchainError } from '@showchain/wire'
import { type BatchedSockets, batchedSockets } from './batched/batched-socket.ts'
import { type Libc, loadLibc } from './batched/libc.ts'
import { selfTest } from './batched/self-test.ts'
import type { Bind } from './bound-socket.ts'
import { bindDgram } from './dgram-socket.ts'
import type { SocketKind, SocketWish } from './udp-options.ts'

const VARIABLE = 'SHOWCHAIN_UDP'
const DEFAULT: SocketWish = 'auto'
const WISHES: readonly SocketWish[] = ['auto', 'batched', 'dgram']

export interface ChosenSocket {
  readonly kind: SocketKind
  /** Why it is this one: half a sentence for people. */
  readonly reason: string
  readonly bind: Bind
}

interface Batched extends BatchedSockets {
  readonly libc: Libc
}

/** Asked once: what works, works for every socket of the process. */
let batched: Promise<Batched | string> | undefined

async function tryBatched(): Promise<Batched | string> {
  const libc = loadLibc()
  if (typeof libc === 'string') return libc
  return (await selfTest(libc)) ?? { libc, ...batchedSockets(libc) }
}

/**
 * What only batched sockets can.
 *
 * @throws ShowchainError `ERR_CANNOT_LISTEN` where there are none, or the environment wants others
 */
export async function onlyBatched(): Promise<Batched> {
  if (process.env[VARIABLE] === 'dgram') throw noBatched(`${VARIABLE} is dgram`)
  batched ??= tryBatched()
  const found = await batched
  if (typeof found === 'string') throw noBatched(found)
  return found
}

const noBatched = (why: string): ShowchainError => new ShowchainError('ERR_CANNOT_LISTEN', `No batched socket: ${why}.`)

/** @throws ShowchainError `ERR_BAD_CONFIG`, `ERR_CANNOT_LISTEN` */
export async function chooseSocket(wish: SocketWish | undefined): Promise<ChosenSocket> {
  const wanted = wish ?? process.env[VARIABLE] ?? DEFAULT
  if (!WISHES.some((each) => each === wanted))
    throw new ShowchainError('ERR_BAD_CONFIG', `${VARIABLE} is ${WISHES.join(', ')}, not ${quote(wanted)}.`)
  if (wanted === 'dgram') return { kind: 'dgram', reason: 'it was asked for', bind: bindDgram }
  batched ??= tryBatched()
  const found = await batched
  if (typeof found !== 'string') return { kind: 'batched', reason: 'its self-test passed', bind: found.bind }
  if (wanted === 'batched') throw noBatched(found)
  return { kind: 'dgram', reason: `no batched socket: ${found}`, bind: bindDgram }
}
