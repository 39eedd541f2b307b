/** A tunnel between two peers on the simulated internet, with programs in memory at both ends. */
import type { Connection, Peer } from '@showchain/client'
import { duration } from '@showchain/client/endpoint'
import {
  Forwarder,
  type ForwarderEvent,
  type ServerEvent,
  type Source,
  type Target,
  type TunnelRuntime,
  TunnelServer,
} from '@showchain/tunnel'
import { Internet, type PeerPlace, type SimRelay } from '../../src/index.ts'

export interface Bed {
  readonly internet: Internet
  readonly relay: SimRelay
  readonly alice: Peer
  readonly bob: Peer
  /** Bob serves a target. */
  serve(target: Target): TunnelServer
  /** Alice forwards. */
  forward(source: Source): Promise<Forwarder>
  readonly served: ServerEvent[]
  readonly forwarded: ForwarderEvent[]
}

/** Everything is closed at the end, and nothing may stay behind. */
export async function bed(
  seed: string,
  scenario: (bed: Bed) => Promise<void>,
  { alice = {}, bob = {} }: { readonly alice?: PeerPlace; readonly bob?: PeerPlace } = {},
): Promise<void> {
  await Internet.run(seed, { latency: duration(10) }, async (internet) => {
    const relay = await internet.relay()
    const [here, there] = [
      await internet.peer({ name: 'alice', ...alice }),
      await internet.peer({ name: 'bob', ...bob }),
    ]
    const { clock, random } = internet.sim
    const runtime: TunnelRuntime = { clock, random }
    const open: AsyncDisposable[] = []
    const [served, forwarded]: [ServerEvent[], ForwarderEvent[]] = [[], []]
    const serve = (target: Target): TunnelServer => {
      const server = new TunnelServer(target, { runtime, onEvent: (event) => served.push(event) })
      const serving = async (): Promise<void> => {
        for await (const connection of there.incoming) void server.serve(connection)
      }
      void serving()
      open.push(server)
      return server
    }
    const forward = async (source: Source): Promise<Forwarder> => {
      const dial = (signal: AbortSignal): Promise<Connection> => here.connect(there.ticket, { signal })
      const forwarder = await Forwarder.open(source, dial, { runtime, onEvent: (event) => forwarded.push(event) })
      open.push(forwarder)
      return forwarder
    }
    await scenario({ internet, relay, alice: here, bob: there, serve, forward, served, forwarded })
    for (const each of open.reverse()) await each[Symbol.asyncDispose]()
  })
}

/** The reasons of what failed, in order. */
export const reasons = (events: readonly ServerEvent[]): readonly string[] =>
  events.flatMap((event) => (event.type === 'failed' ? [event.reason] : []))

export const codes = (events: readonly ForwarderEvent[]): readonly string[] =>
  events.flatMap((event) => (event.type === 'failed' ? [(event.error as Error).message] : []))
