/**
 * The relay and the peers of the benchmarks: real RSA-2048 keys, made once, and the messages that
 * they sign.
 */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { generateIdentity, type Identity, identityFromPem, messagePreimage, openssl } from '@showchain/crypto'
import { readVectors } from '@showchain/testkit'
import {
  type Endpoint,
  type Extensions,
  encode,
  type MessageOf,
  OP,
  type PeerId,
  type SessionId,
  type Unsigned,
} from '@showchain/wire'
import { LOOPBACK } from './loopback.ts'

/** Four pairs for proxied data, and as many registrations as one relay has on its way at once. */
const PEERS = 8
/** Signatures being made at once: no core runs dry. */
const IN_FLIGHT = 8
/** Where sequences start: 48 bits, as in life. */
const FIRST_SEQ = 2 ** 47
const FIRST_PORT = 40_000

export class Actor {
  readonly identity: Identity
  /** Where it is when there are no sockets. */
  readonly source: Endpoint
  readonly #key: KeyObject
  #seq = FIRST_SEQ

  /** @param number tells its address from those of others. */
  constructor(identity: Identity, number: number) {
    this.identity = identity
    this.source = { ip: LOOPBACK, port: FIRST_PORT + number }
    this.#key = createPrivateKey(identity.toPem())
  }

  get id(): PeerId {
    return this.identity.id
  }

  get nextSeq(): number {
    return this.#seq++
  }

  /** On the spot: for a machine that is measured on one core. */
  signNow(preimage: Uint8Array): Uint8Array {
    return sign('RSA-SHA256', preimage, this.#key)
  }

  /** 0x101, which makes it registered. */
  registration(relay: PeerId, ts: number, ext?: Extensions): Uint8Array {
    const { id } = this
    return this.#signed({ op_code: OP.directRequest, id, target: relay, seq: this.nextSeq, ts, ...(ext && { ext }) })
  }

  /** 0x121. */
  sessionRequest(target: PeerId, ts: number): Uint8Array {
    return this.#signed({ op_code: OP.proxyRequest, target, id: this.id, seq: this.nextSeq, ts })
  }

  /** 0x123, signed off the loop. */
  async proxyData(target: PeerId, session: SessionId, data: Uint8Array, ts: number): Promise<Uint8Array> {
    const { id } = this
    const unsigned = { op_code: OP.proxyData, target, id, data, session, seq: this.nextSeq, ts } as const
    const signature = await this.identity.sign(messagePreimage(openssl, unsigned))
    return encode({ ...unsigned, sign: signature } satisfies MessageOf<typeof OP.proxyData>, 'binary')
  }

  #signed(unsigned: Unsigned<MessageOf<typeof OP.directRequest | typeof OP.proxyRequest>>): Uint8Array {
    return encode({ ...unsigned, sign: this.signNow(messagePreimage(openssl, unsigned)) }, 'binary')
  }
}

/** A key of the golden vectors: made beforehand. */
export function relayActor(): Actor {
  const relay = readVectors('identities.json').identities.find(({ role, bits }) => role === 'relay' && bits === 2048)
  if (relay === undefined) throw new Error('The golden vectors have no relay.')
  return new Actor(identityFromPem(relay.privateKey), 0)
}

let peers: Promise<readonly Actor[]> | undefined

/** The same ones for every suite of a run. */
export function peerActors(): Promise<readonly Actor[]> {
  peers ??= Promise.all(
    Array.from({ length: PEERS }, async (_, index) => new Actor(await generateIdentity(), 1 + index)),
  )
  return peers
}

/** Does `count` jobs in order, a few at a time. */
export async function inTurns<Result>(count: number, job: (index: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  let next = 0
  const turn = async (): Promise<void> => {
    while (next < count) {
      const index = next++
      results[index] = await job(index)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, turn))
  return results
}
