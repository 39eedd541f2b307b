/** What the simulator says that happens: a scenario of the lab asks it, and then shows that the kernel agrees. */
import { duration, later } from '@showchain/client/core'
import { opensslEndToEnd } from '@showchain/crypto'
import { Internet, type NatBehaviour, nat, PAIRINGS, play, type Router, type SimRelay } from '@showchain/testkit'

export type PathKind = 'direct' | 'relay'

/** Virtual time in which a pair finds its best path, and finds it again. */
const CALM = duration(180_000)
const RELAY6 = '2a01:4f9::1'
const SPOKEN_EACH = duration(1000)

/** The path of a pair of the matrix. */
export async function simulated(requester: string, target: string): Promise<PathKind> {
  const pairing = PAIRINGS.find((each) => each.requester === requester && each.target === target)
  if (pairing === undefined) throw new Error(`the simulator has no pair ${requester} → ${target}`)
  const { path } = await play(pairing, 'natlab')
  return path as PathKind
}

export interface Disturbed {
  readonly behind: readonly [NatBehaviour, NatBehaviour]
  readonly relays?: number
  /** Percent of the packets on the public network. @default 0 */
  readonly loss?: number
  /** Relays with IPv6 alone, and IPv6 behind both routers. @default false */
  readonly ipv6?: boolean
  /** Both dial. @default false */
  readonly glare?: boolean
  happen?(world: {
    readonly routers: readonly [Router, Router]
    readonly relays: readonly SimRelay[]
  }): void | Promise<void>
}

/** The path of a busy pair before something happens, and when it has recovered. @throws Error when it does not */
async function simulatedThrough({
  behind,
  relays = 1,
  loss = 0,
  ipv6 = false,
  glare = false,
  happen = () => {},
}: Disturbed): Promise<readonly [PathKind, PathKind]> {
  let found: readonly [PathKind, PathKind] | undefined
  await Internet.run('natlab', { loss: loss / 100 }, async (internet) => {
    const running: SimRelay[] = []
    const place = ipv6 ? ({ ips: [RELAY6], stun: 'plain' } as const) : {}
    while (running.length < relays) running.push(await internet.relay(place))
    const [here, there] = behind.map((behaviour) => internet.router({ nat: behaviour, ipv6 })) as [Router, Router]
    const [alice, bob] = [
      await internet.simPeer({ behind: here, endToEnd: opensslEndToEnd }),
      await internet.simPeer({ behind: there, endToEnd: opensslEndToEnd }),
    ]
    if (glare) bob.dialPeer(alice)
    const ours = await alice.connect(bob)
    const { clock } = internet.sim
    const speak = (): void => {
      const [link] = alice.open
      if (link === undefined) return
      alice.send(link.id, Uint8Array.of(1))
      clock.schedule(later(clock.now(), SPOKEN_EACH), speak)
    }
    speak()
    internet.advance(CALM)
    const before = ours.path.kind
    await happen({ routers: [here, there], relays: running })
    internet.advance(CALM)
    const [link] = alice.open
    if (link === undefined) throw new Error(`in the simulator the connection ended: ${ours.closed}`)
    if (alice.open.length > 1) throw new Error(`in the simulator there are ${alice.open.length} connections`)
    if (ipv6 && !link.path.remote.ip.includes(':'))
      throw new Error(`in the simulator the path goes to ${link.path.remote.ip}`)
    found = [before, link.path.kind]
  })
  return found as readonly [PathKind, PathKind]
}

/** The path of a busy pair, which is the same one when it has recovered from what happens. @throws Error otherwise */
export async function foreseen(disturbed: Disturbed): Promise<PathKind> {
  const [before, after] = await simulatedThrough(disturbed)
  if (before !== after) throw new Error(`in the simulator the path was ${before}, and in the end ${after}`)
  return after
}

/** What a dial from a host without any UDP says of each way that it tried. */
export async function simulatedBlocked(): Promise<readonly string[]> {
  let said: readonly string[] = []
  await Internet.run('natlab', {}, async (internet) => {
    await internet.relay()
    const bob = await internet.simPeer({ behind: nat.T2() })
    const alice = internet.addSimPeer({ behind: internet.router({ nat: nat.T2(), blocks: 'all' }) })
    const dialled = alice.dialPeer(bob)
    internet.until(() => dialled.ended !== undefined)
    if (dialled.link !== undefined) throw new Error('in the simulator it connects')
    said = (dialled.attempts ?? []).flatMap(({ why }) => why ?? [])
  })
  return said
}
