/**
 * Proxied data in seed mode, signed beforehand: a signature takes its sender ten times as long as
 * the relay that checks it. Sessions follow from the relay's seed, so the same packets are good for
 * every relay of it.
 */
import type { RelayLimits } from '@showchain/server'
import { decode, MAX_DATAGRAM, OP, type SessionId } from '@showchain/wire'
import { type Actor, inTurns } from './actors.ts'
import { type Arithmetic, LoneRelay, verifyNow } from './lone-relay.ts'

/**
 * Version byte, op code, two ids, length of the data, session, seq, ts, and an RSA-2048 signature
 * with its length.
 */
const OVERHEAD = 1 + 2 + 2 * 32 + 2 + 16 + 8 + 8 + 2 + 256
/** Fills a datagram, as a file on its way does. */
const DATA = new Uint8Array(MAX_DATAGRAM - OVERHEAD).fill(0x5a)
const NO_DATA = new Uint8Array(0)

/** One requester and its target, and what it sends. */
export interface Pair {
  readonly requester: Actor
  readonly target: Actor
  readonly session: SessionId
  /** Asks only for an acknowledgement, which is the target's consent. */
  readonly opening: Uint8Array
  /** 0x123 of 1200 bytes each, in order. */
  readonly packets: readonly Uint8Array[]
}

export interface PacketPlan {
  readonly relay: Actor
  readonly peers: readonly Actor[]
  readonly pairs: readonly Pair[]
}

/**
 * Brings a peer's request to the relay and the relay's answer back. The request is made anew for each
 * attempt: the relay of a machine whose clock steps may take the first for one of before its start.
 */
export type Ask = (peer: Actor, request: () => Uint8Array) => Uint8Array | Promise<Uint8Array>

/** The first half of the peers sends to the second; `count` packets in all. */
export async function planPackets(relay: Actor, peers: readonly Actor[], count: number): Promise<PacketPlan> {
  const half = peers.length / 2
  const ends = peers.slice(0, half).map((requester, index) => ({ requester, target: peers[half + index] as Actor }))
  const sessions = await openSessions(relay, ends, askLone(loneRelay({ relay, peers })))
  const ts = Date.now()
  const pairs: Pair[] = []
  for (const [index, { requester, target }] of ends.entries()) {
    const session = sessions[index] as SessionId
    const opening = await requester.proxyData(target.id, session, NO_DATA, ts)
    const packets = await inTurns(count / half, () => requester.proxyData(target.id, session, DATA, ts))
    pairs.push({ requester, target, session, opening, packets })
  }
  return { relay, peers, pairs }
}

/**
 * Registers both ends of each pair and opens its session, in order: sessions come in that of the
 * relay's seed.
 */
export async function openSessions(
  relay: Actor,
  ends: readonly Pick<Pair, 'requester' | 'target'>[],
  ask: Ask,
): Promise<SessionId[]> {
  const sessions: SessionId[] = []
  for (const { requester, target } of ends) {
    for (const peer of [requester, target]) await ask(peer, () => peer.registration(relay.id, Date.now()))
    const answer = decode(await ask(requester, () => requester.sessionRequest(target.id, Date.now())))
    if (!answer.ok || answer.message.op_code !== OP.proxyResponse) throw new Error('The relay opened no session.')
    sessions.push(answer.message.session)
  }
  return sessions
}

/** A relay on this thread that knows the peers' keys. */
export const loneRelay = (
  { relay, peers }: Pick<PacketPlan, 'relay' | 'peers'>,
  verify: Arithmetic['verify'] = verifyNow,
  limits: Partial<RelayLimits> = {},
): LoneRelay =>
  new LoneRelay({
    limits,
    self: relay.identity.publicKey,
    knownKeys: peers.map(({ identity }) => identity.publicKey),
    arithmetic: { verify, sign: (preimage) => relay.signNow(preimage) },
    unixMs: Date.now,
  })

/**
 * The lone relay's clock moves on by this many ms before each request. One from a peer that it does
 * not know must be later than its start, by that clock too.
 */
const ASK_GAP = 100

export const askLone =
  (relay: LoneRelay): Ask =>
  (peer, request) => {
    relay.pass(ASK_GAP)
    const answer = relay.receive(request(), peer.source)
    if (answer === undefined) throw new Error('The relay is silent.')
    return answer
  }

/** Session, seq and ts: all that a 0x125 has, and the last that a 0x124 has. */
const ACKNOWLEDGED_BYTES = 16 + 8 + 8
const ACKNOWLEDGEMENT = [0xb1, OP.proxyDataAck >> 8, OP.proxyDataAck & 0xff]

/** The 0x125 for a 0x124. For any other datagram one of the same size. */
export function acknowledgementOf(passed: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(ACKNOWLEDGEMENT.length + ACKNOWLEDGED_BYTES)
  bytes.set(ACKNOWLEDGEMENT)
  bytes.set(passed.subarray(passed.length - ACKNOWLEDGED_BYTES), ACKNOWLEDGEMENT.length)
  return bytes
}
