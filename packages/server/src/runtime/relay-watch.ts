/**
 * What those who run a relay may see of its peers and sessions. It reads, and never holds up what the
 * relay does: what would take long with many peers takes turns of the loop.
 */
import type { Clock } from '@showchain/client/runtime'
import type { Endpoint, PeerId } from '@showchain/wire'
import type { PairView, PeerView, RelayStats, RelayView, SessionView } from '../core/index.ts'

/** Sizes of tables and queues. */
export interface RelayRuntimeStats extends RelayStats {
  /** RSA jobs that wait for a thread. */
  readonly waitingForThread: number
  /** WebSocket connections that are open. */
  readonly websockets: number
}

/** A registered peer, and where it is. */
export interface BoundPeer {
  readonly id: PeerId
  readonly at: Endpoint
  /** The number of its node, in a fleet. */
  readonly node?: number | undefined
}

/** Rows of the table that are looked at in one turn: well below a millisecond. */
const ROWS_A_TURN = 2000

/** A relay that runs, as its status page sees it. */
export class RelayWatch {
  readonly #view: RelayView
  readonly #clock: Pick<Clock, 'now'>

  constructor(view: RelayView, clock: Pick<Clock, 'now'>) {
    this.#view = view
    this.#clock = clock
  }

  /** Registered peers, from all over the table. @param most how many */
  peers(most: number): readonly PeerView[] {
    return this.#view.peers(most, this.#clock.now())
  }

  /** The open sessions in which most was forwarded. @param most how many */
  busiest(most: number): readonly SessionView[] {
    return this.#view.busiest(most, this.#clock.now())
  }

  /** Registered peers whose id begins so: not many more than `most`, which suffice to see that there are several. */
  async named(beginning: string, most: number): Promise<readonly PeerView[]> {
    const found: PeerView[] = []
    for (let from = 0; from < this.#view.rows && found.length < most; from += ROWS_A_TURN) {
      found.push(...this.#view.named(beginning, from, ROWS_A_TURN, this.#clock.now()))
      await new Promise(setImmediate)
    }
    return found
  }

  /** What is known of two peers together. */
  pair(one: PeerView, other: PeerView): PairView {
    return this.#view.pair(one, other, this.#clock.now())
  }
}
