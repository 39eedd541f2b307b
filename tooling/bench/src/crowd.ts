/**
 * A relay machine and very many peers. So many RSA keys cannot be made in time, so theirs are random
 * odd moduli, which OpenSSL imports like any other; nobody holds their private halves, so each
 * signature is taken for good.
 */
import type { Instant } from '@showchain/client/core'
import { openssl, type PublicKey } from '@showchain/crypto'
import type { RelayLimits } from '@showchain/server'
import { readVectors } from '@showchain/testkit'
import { decode, type Endpoint, OP, type PeerId, type SessionId } from '@showchain/wire'
import { forgedPeer, registrationOf, SIGNATURE, sessionRequest } from './forged-peer.ts'
import { LoneRelay } from './lone-relay.ts'

export const KIB = 1024

/** Bytes. */
export interface Usage {
  readonly rss: number
  /** After a collection. */
  readonly used: number
}

/** RSS first: as it is, with whatever was not collected yet. */
export function usage(): Usage {
  const { rss } = process.memoryUsage()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return { rss, used: heapUsed + external }
}

/** Of the golden vectors. */
function relayKey(): PublicKey {
  const { identities } = readVectors('identities.json')
  const [found] = identities.filter(({ role, bits }) => role === 'relay' && bits === 2048)
  if (found === undefined) throw new Error('The golden vectors have no relay.')
  return openssl.importPublicKey(Buffer.from(found.spki, 'hex'))
}

/** The wall clock goes with the relay's other one: what takes seconds here may be minutes there. */
const unixMs = (now: Instant): number => Date.UTC(2026, 0) + Math.floor(now)

export const crowdedRelay = (limits: Partial<RelayLimits> = {}): LoneRelay =>
  new LoneRelay({
    ...{ limits, self: relayKey() },
    arithmetic: { verify: () => true, sign: () => SIGNATURE.slice() },
    unixMs,
  })

/** An address for each peer. */
export const sourceOf = (number: number): Endpoint => ({
  ip: `10.${number >> 16}.${(number >> 8) & 0xff}.${number & 0xff}`,
  port: 40_000,
})

/** By the book: 0x101, 0x1F1, 0x101 with the cookie, 0x102. */
export function register(relay: LoneRelay, source: Endpoint): PeerId {
  const peer = forgedPeer(relay.self.spki)
  const request = (cookie?: Uint8Array): Uint8Array => registrationOf(peer, relay.self.id, unixMs(relay.now), cookie)
  const challenge = decode(relay.receive(request(), source) ?? new Uint8Array(0))
  if (!challenge.ok || challenge.message.op_code !== OP.challenge) throw new Error('The relay did not challenge.')
  if (relay.receive(request(challenge.message.cookie), source) === undefined)
    throw new Error('The relay did not register.')
  return peer.id
}

/** 0x121, 0x122: both ends are registered. */
export function openSession(relay: LoneRelay, id: PeerId, target: PeerId, source: Endpoint): SessionId {
  const answer = decode(relay.receive(sessionRequest(id, target, unixMs(relay.now)), source) ?? new Uint8Array(0))
  if (!answer.ok || answer.message.op_code !== OP.proxyResponse) throw new Error('The relay opened no session.')
  return answer.message.session
}
