/** What the simulator says that happens: a scenario of the lab asks it, and then shows that the kernel agrees. */
import { duration, later } from '@showchain/client/core'
import { Internet, type NatBehaviour, PAIRINGS, play, type Router, type SimRelay } from '@showchain/testkit'

export type PathKind = 'direct' | 'relay'

/** Virtual time in which a pair finds its best path, and finds it again. */
const CALM = duration(180_000)
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
  happen(world: {
    readonly routers: readonly [Router, Router]
    readonly relays: readonly SimRelay[]
  }): void | Promise<void>
}

/** The path of a busy pair before something happens, and when it has recovered. @throws Error when it does not */
export async function simulatedThrough({
  behind,
  relays = 1,
  loss = 0,
  happen,
}: Disturbed): Promise<readonly [PathKind, PathKind]> {
  let found: readonly [PathKind, PathKind] | undefined
  await Internet.run('natlab', { loss: loss / 100 }, async (internet) => {
    const running: SimRelay[] = []
    while (running.length < relays) running.push(await internet.relay())
    const [here, there] = behind.map((nat) => internet.router({ nat })) as [Router, Router]
    const [alice, bob] = [await internet.peer({ behind: here }), await internet.peer({ behind: there })]
    const ours = await alice.connect(bob)
    const { clock } = internet.sim
    const speak = (): void => {
      if (ours.closed !== undefined) return
      alice.send(ours.id, Uint8Array.of(1))
      clock.schedule(later(clock.now(), SPOKEN_EACH), speak)
    }
    speak()
    internet.advance(CALM)
    const before = ours.path.kind
    await happen({ routers: [here, there], relays: running })
    internet.advance(CALM)
    if (ours.closed !== undefined) throw new Error(`in the simulator the connection ended: ${ours.closed}`)
    found = [before, ours.path.kind]
  })
  return found as readonly [PathKind, PathKind]
}
