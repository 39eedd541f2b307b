/**
 * What is around the machine of a simulated peer, as it is around that of a `Peer`: it notices another
 * network, and has the router in front map the port.
 */
import { internetPolicy, type PathPolicy, PortMapper } from '@showchain/client/core'
import { type Clock, type DatagramSocket, NetworkWatch, PortMappingOfPeer } from '@showchain/client/runtime'
import type { Endpoint } from '@showchain/wire'
import type { Host } from '../sim/host.ts'
import { simulatedRuntime } from '../sim/runtime.ts'
import type { Simulation } from '../sim/simulation.ts'

export interface SimEdgeOptions {
  readonly sim: Simulation
  readonly host: Host
  readonly policy: PathPolicy | undefined
  /** Its timers sleep with the host. */
  readonly clock: Clock
  /** Where the peer listens. */
  readonly listens: () => readonly Endpoint[]
  readonly networkChanged: () => void
  /** The port is mapped, at another address than before. */
  readonly reachable: () => void
}

export class SimEdge {
  readonly portMapping: PortMappingOfPeer
  readonly #networkWatch: NetworkWatch
  /** What asked the router. */
  #socket: DatagramSocket | undefined

  constructor({ sim, host, policy = 'auto', clock, listens, networkChanged, reachable }: SimEdgeOptions) {
    const runtime = simulatedRuntime(sim, host)
    const openExtraSocket = (failed: (why: string) => void): DatagramSocket => {
      this.#socket = runtime.openExtraSocket(failed)
      return this.#socket
    }
    this.portMapping = new PortMappingOfPeer({
      ...{ portMapping: true, policy, allows: internetPolicy, listens },
      runtime: { ...runtime, clock, openExtraSocket },
      makeMapper: (...how) => new PortMapper(...how),
      changed: () => {},
      reachable,
    })
    this.#networkWatch = new NetworkWatch({
      clock,
      localAddresses: () => host.ips,
      failures: () => 0,
      changed: () => {
        networkChanged()
        this.portMapping.networkChanged()
      },
    })
  }

  async close(): Promise<void> {
    this.#networkWatch.close()
    await this.portMapping.close()
  }

  /** As `close`, and the router hears nothing of it. */
  async crash(): Promise<void> {
    void this.#socket?.close()
    await this.close()
  }
}
