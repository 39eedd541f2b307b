/** A peer in a browser: in a page or in a worker, through relays only. */
import { ShowchainError } from '@showchain/wire'
import type { SignalOptions } from '../async/signals.ts'
import { type PeerOptions as AnyPeerOptions, checkOptions } from '../options.ts'
import { PeerBase } from '../peer-base.ts'
import { browserRuntime } from './runtime.ts'

/** Options about sockets of UDP and about what only they reach. */
const NOT_HERE = ['listen', 'stunServers', 'announce', 'portMapping', 'lanDiscovery', 'seedMode', 'runtime'] as const

/** What a peer in a browser is opened with: as on Node, without what concerns UDP. */
export type PeerOptions = Omit<AnyPeerOptions, (typeof NOT_HERE)[number]>

/** A peer in a browser. @see Peer.open */
export class Peer extends PeerBase {
  /**
   * Starts to register with the relays, by WebSocket; `registered()` waits for that.
   *
   * @throws ShowchainError `ERR_BAD_CONFIG`, `ERR_BAD_TICKET`, `ERR_ABORTED`, `ERR_BAD_ARGUMENT` (the second
   *   one)
   */
  static async open(options: PeerOptions, wait?: SignalOptions): Promise<Peer> {
    const unknown = NOT_HERE.filter((name) => Object.hasOwn(Object(options), name))
    if (unknown.length > 0) throw new ShowchainError('ERR_BAD_CONFIG', `Browsers have no ${unknown.join(', no ')}.`)
    const checked = checkOptions(options, browserRuntime)
    return await PeerBase.openOn(checked, wait, (socket) => new Peer(checked, socket))
  }
}
