/**
 * Three relays that are one to their peers, over a NATS server: ends at different nodes find the same paths as at
 * one relay, and go on when a node, or NATS, is gone.
 */
import { Fleet, NODES, type NodeIndex } from '../fleet.ts'
import { flows } from '../flows.ts'
import { NAT_KINDS } from '../rules.ts'
import { connectPair, endPair, type Pair, type Scenario, type World } from '../scenario.ts'
import { type PathKind, simulatedPair } from '../simulated.ts'
import { FILE_BYTES, transferOn } from '../transfer.ts'

const NATS = { 'nats-server': 'nats-server' }
/** The share of the file that came before something happens. */
const AT = 0.3
/** Seconds of silence, at most; and for a busy machine. */
const NODE_LOST = 3
const NODE_LEFT = 2
const SLACK = 2
/** Seconds for which NATS hangs: shorter and longer than peers take to give up a path that nothing comes by. */
const HANGS = [5, 20]
/** Transfers that are under way while all nodes are restarted. */
const ROLLED_OVER = 20
/** Who asks has the session at its node, at first. */
const [REQUESTERS, TARGETS] = [0, 1] as const

const between = (world: World, fleet: Fleet, from: string, to: string, path: PathKind): Promise<Pair> => {
  const hosts = { from: fleet.hostsWith(REQUESTERS), to: fleet.hostsWith(TARGETS) }
  return connectPair(world, ...world.hosts(from as never, to as never), path, [fleet.ticket], hosts)
}

/** Something happens to a fleet while a pair is relayed across it. @param whole whether silence counts from its beginning */
const disturbed = (
  name: string,
  what: string,
  seconds: number,
  happen: (fleet: Fleet) => Promise<void>,
  whole = true,
): Scenario => ({
  name: `fleet-${name}`,
  title: `${what} during a transfer across a fleet`,
  needs: NATS,
  async run(world) {
    const fleet = await Fleet.open(world.lab)
    const pair = await between(world, fleet, 'T4', 'T4', 'relay')
    const most = seconds + SLACK
    return transferOn(pair, 'relay', FILE_BYTES, { at: AT, most, whole, happen: () => happen(fleet) })
  },
})

const killed = (name: string, node: NodeIndex): Scenario =>
  disturbed(`kill-${name}`, `the node of the ${name} is killed`, NODE_LOST, (fleet) => fleet.kill(node, 'SIGKILL'))

export const FLEETS: readonly Scenario[] = [
  {
    name: 'fleet-pairs',
    title: 'each pair of NAT types, with its ends at two nodes of a fleet',
    needs: NATS,
    async run(world) {
      const fleet = await Fleet.open(world.lab)
      const found: string[] = []
      for (const from of NAT_KINDS)
        for (const to of NAT_KINDS) {
          const path = await simulatedPair(from, to)
          const pair = await between(world, fleet, from, to, path)
          for (const [program, node] of [
            [pair.listener, TARGETS],
            [pair.caller, REQUESTERS],
          ] as const)
            await program.until(`it is at node ${node}`, fleet.isAt(node))
          pair.caller.writeLine('hello')
          await pair.caller.until('its line was echoed', ({ event, text }) => event === 'message' && text === 'hello')
          await endPair(pair)
          found.push(path)
        }
      const direct = found.filter((path) => path === 'direct').length
      return `${direct} direct, ${found.length - direct} by relay, as simulated with one relay`
    },
  },
  killed('requester', REQUESTERS),
  killed('target', TARGETS),
  disturbed('kill-nats', 'NATS is killed and started again', NODE_LOST, async (fleet) => {
    await fleet.killNats()
    await fleet.startNats()
  }),
  ...HANGS.map((seconds) => {
    const hangs = (fleet: Fleet): Promise<void> => fleet.suspendNats(seconds)
    return disturbed(`stop-nats-${seconds}`, `NATS is stopped for ${seconds} s`, NODE_LOST, hangs, false)
  }),
  {
    name: 'fleet-rolling',
    title: `all nodes are restarted, one after the other, during ${ROLLED_OVER} transfers across a fleet`,
    needs: NATS,
    async run(world) {
      const fleet = await Fleet.open(world.lab)
      const [from, to] = world.hosts('T4', 'T4')
      return flows(world.lab, {
        from: { host: from, hosts: fleet.hostsWith(REQUESTERS) },
        to: { host: to, hosts: fleet.hostsWith(TARGETS) },
        ...{ count: ROLLED_OVER, relay: fleet.ticket, most: NODE_LEFT },
        happen: async () => {
          for (const node of NODES) await fleet.restart(node)
        },
      })
    },
  },
]
