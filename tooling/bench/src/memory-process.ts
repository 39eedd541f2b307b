/**
 * A relay machine full of peers. So many RSA keys cannot be made in time, so theirs are random odd
 * moduli, which OpenSSL imports like any other; nobody holds their private halves, so each
 * signature is taken for good.
 */
import { openssl } from '@showchain/crypto'
import { readVectors } from '@showchain/testkit'
import { decode, type Endpoint, type Extensions, encode, OP, type PeerId, peerIdFromBytes } from '@showchain/wire'
import { serve } from './child.ts'
import { LoneRelay } from './lone-relay.ts'
import { forgedKey } from './siege-forgeries.ts'

export interface MemoryRequest {
  readonly bindings: number
  /** Of keep-alives of all peers. */
  readonly rounds: number
}

interface Usage {
  readonly rss: number
  /** After a collection. */
  readonly used: number
}

/** Bytes, seconds. */
export interface MemoryReport {
  readonly before: Usage
  readonly filled: Usage
  readonly settled: Usage
  readonly peak: number
  readonly registerSeconds: number
  /** For each round. */
  readonly keepAlives: readonly number[]
}

const SIGNATURE = new Uint8Array(256).fill(1)
/**
 * Virtual ms in which all of them register: less than a binding lives, so that none needs a
 * keep-alive meanwhile.
 */
const REGISTERING = 30_000
/** Virtual ms until the answers are forgotten. */
const SETTLING = 20_000
const KEEP_ALIVE_INTERVAL = 15_000
const KIB = 1024

function fillRelay({ bindings, rounds }: MemoryRequest): MemoryReport {
  const { identities } = readVectors('identities.json')
  const [relayKey] = identities
    .filter(({ role, bits }) => role === 'relay' && bits === 2048)
    .map(({ spki }) => openssl.importPublicKey(Buffer.from(spki, 'hex')))
  if (relayKey === undefined) throw new Error('The golden vectors have no relay.')
  const relay = new LoneRelay({
    self: relayKey,
    arithmetic: { verify: () => true, sign: () => SIGNATURE.slice() },
    unixMs: Date.now,
  })
  const ids: PeerId[] = []
  const before = usage()
  const start = performance.now()
  for (let number = 0; number < bindings; number++) {
    ids.push(register(relay, relayKey.id, forgedKey(relayKey.spki), sourceOf(number)))
    relay.pass(REGISTERING / bindings)
  }
  const registerSeconds = (performance.now() - start) / 1000
  const filled = usage()
  for (let passed = 0; passed < SETTLING; passed += KIB) relay.pass(KIB)
  const settled = usage()
  const held = relay.machine.stats().bindings
  if (held !== bindings) throw new Error(`The relay holds ${held} of ${bindings} bindings.`)
  const peak = process.resourceUsage().maxRSS * KIB
  const keepAlives = keepAlive(relay, ids, rounds)
  return { before, filled, settled, peak, registerSeconds, keepAlives }
}

/** RSS first: as it is, with whatever was not collected yet. */
function usage(): Usage {
  const { rss } = process.memoryUsage()
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return { rss, used: heapUsed + external }
}

const sourceOf = (number: number): Endpoint => ({
  ip: `10.${number >> 16}.${(number >> 8) & 0xff}.${number & 0xff}`,
  port: 40_000,
})

/** By the book: 0x101, 0x1F1, 0x101 with the cookie, 0x102. */
function register(relay: LoneRelay, target: PeerId, key: Uint8Array, source: Endpoint): PeerId {
  const id = peerIdFromBytes(openssl.sha256(key))
  const request = (seq: number, ext: Extensions): Uint8Array =>
    encode({ op_code: OP.directRequest, id, target, seq, ts: Date.now(), sign: SIGNATURE, ext }, 'binary')
  const challenge = decode(relay.receive(request(1, { key }), source) ?? new Uint8Array(0))
  if (!challenge.ok || challenge.message.op_code !== OP.challenge) throw new Error('The relay did not challenge.')
  const { cookie } = challenge.message
  if (relay.receive(request(2, { key, cookie }), source) === undefined) throw new Error('The relay did not register.')
  return id
}

function keepAlive(relay: LoneRelay, ids: readonly PeerId[], rounds: number): number[] {
  const all = ids.map((id, number) => ({
    bytes: encode({ op_code: OP.keepAlive, id, seq: 0, ts: 0 }, 'binary'),
    source: sourceOf(number),
  }))
  return Array.from({ length: rounds }, () => {
    const answered = relay.machine.counters().sent + ids.length
    const start = performance.now()
    for (const { bytes, source } of all) {
      relay.receive(bytes, source)
      relay.pass(KEEP_ALIVE_INTERVAL / ids.length)
    }
    const seconds = (performance.now() - start) / 1000
    if (relay.machine.counters().sent !== answered) throw new Error('The relay did not answer every keep-alive.')
    return seconds
  })
}

serve(fillRelay)
