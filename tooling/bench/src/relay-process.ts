/**
 * A relay in a process of its own: put together as `Relay.open` does it, but from a seed, so that
 * packets can be signed before their session is opened.
 */
import { CryptoWorker, Driver, nodeRandom, openUdp, systemClock, type Worker } from '@showchain/client/runtime'
import { identityFromPem, openssl } from '@showchain/crypto'
import { type RelayLimits, RelayMachine } from '@showchain/server'
import { SeededRandom } from '@showchain/testkit'
import { isChannelFrame } from '@showchain/wire/end-to-end'
import { serve } from './child.ts'
import { cpuSeconds, LOOPBACK } from './loopback.ts'
import { countingIdentity, countingProvider, type RsaOperations, rsaOperations } from './rsa-count.ts'

export type RelayRequest =
  | {
      readonly type: 'open'
      /** PKCS#8. */
      readonly privateKey: string
      /** SubjectPublicKeyInfo of the peers in seed mode. */
      readonly knownKeys: readonly Uint8Array[]
      /** None: as unpredictable as in life. */
      readonly seed?: string
      readonly limits: Partial<RelayLimits>
      /** Who makes its system calls. @default as any process of this environment */
      readonly kind?: 'batched' | 'dgram'
      /** Takes each signature for good and makes its own of nothing: peers may have keys of nobody. @default false */
      readonly trusting?: boolean
    }
  | { readonly type: 'close' }
  | { readonly type: 'cpu' }
  | { readonly type: 'rsa' }

const SIGNATURE_BYTES = 256
const TRUSTING: Worker = {
  run(work, enter) {
    enter((now) => {
      if (work.kind === 'verify') work.resume(true, now)
      else work.resume(new Uint8Array(SIGNATURE_BYTES), now)
    })
  },
  waiting: 0,
  close() {},
}

let open: Driver<RelayMachine> | undefined

/** Answers `open` with the port, `cpu` with the seconds used, and `rsa` with what was counted. */
async function answer(request: RelayRequest): Promise<number | RsaOperations> {
  if (request.type === 'cpu') return cpuSeconds()
  if (request.type === 'rsa') return rsaOperations()
  await open?.close()
  open = undefined
  if (request.type === 'close') return 0
  const identity = identityFromPem(request.privateKey)
  const machine = new RelayMachine({
    self: identity.publicKey,
    provider: openssl,
    random: request.seed === undefined ? nodeRandom : new SeededRandom(request.seed),
    unixMs: systemClock.unixMs,
    knownKeys: request.knownKeys.map((spki) => openssl.importPublicKey(spki)),
    limits: request.limits,
  })
  const socket = await openUdp({ listen: [{ host: LOOPBACK, port: 0 }], kind: request.kind, borrows: isChannelFrame })
  const worker =
    request.trusting === true
      ? TRUSTING
      : new CryptoWorker({ provider: countingProvider, identity: countingIdentity(identity) })
  open = new Driver({ machine, socket, clock: systemClock, worker, onEvent: () => {} })
  return socket.localEndpoints[0]?.port ?? 0
}

serve(answer)
