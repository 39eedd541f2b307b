/** What a simulated peer is made with. */
import type { AcquaintanceStore, CongestionFactory, Duration, PathPolicy, Via } from '@showchain/client/core'
import type { QlogSink } from '@showchain/client/runtime'
import type { EndToEndCrypto, PublicKey } from '@showchain/crypto'
import type { TestIdentity } from '@showchain/crypto/testing'
import type { Encoding, PeerId } from '@showchain/wire'

/** What such a peer is opened with. */
export interface SimPeerOptions {
  /** Asked for each peer; undefined: the question stays open. @default everyone */
  readonly accept?: ((id: PeerId, via: Via) => boolean | undefined) | undefined
  readonly port?: number | undefined
  readonly seedMode?: boolean | undefined
  /** Of its connections. @default 'auto' */
  readonly policy?: PathPolicy | undefined
  readonly encoding?: Encoding | undefined
  readonly knownKeys?: readonly PublicKey[] | undefined
  readonly keepAlive?: Duration | undefined
  /** IPs of its host candidates, on the port of its socket. @default every address of its host */
  readonly local?: readonly string[] | undefined
  /** Protects its connections from end to end. @default undefined: their data is readable */
  readonly endToEnd?: EndToEndCrypto | undefined
  /** Takes what a peer that dials says before it is answered. @default false */
  readonly acceptEarly?: boolean | undefined
  /** What it keeps of others. @default in memory, nothing */
  readonly acquaintances?: AcquaintanceStore | undefined
  /** Of its protected connections. @default bbr */
  readonly congestion?: CongestionFactory | undefined
  /** Takes a recording of its protected connections. @default none */
  readonly qlog?: QlogSink | undefined
  /** Who it is. @default the identity of its name */
  readonly identity?: TestIdentity | undefined
}
