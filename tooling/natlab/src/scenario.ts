/** The scenarios' interface, the world they share, and the steps that most of them use. */
import type { Lab } from './lab.ts'
import type { Host } from './lab-options.ts'
import { isInstalled } from './machine.ts'
import type { Program, ProgramEvent } from './program.ts'
import type { Router, RouterOptions } from './router.ts'
import { NAT_KINDS, type NatKind } from './rules.ts'
import type { PathKind } from './simulated.ts'
import { BEHAVIOUR, discover } from './verify.ts'

/**
 * Shared by all scenarios: one lab, one relay, and two routers of each NAT type, verified by
 * coturn.
 */
export class World {
  readonly lab: Lab
  /** The ticket of the shared relay. A scenario that ends a relay starts its own. */
  readonly relay: string
  readonly #server: string
  readonly #sides: ReadonlyMap<string, Router>

  private constructor(lab: Lab, relay: string, server: string, sides: ReadonlyMap<string, Router>) {
    this.lab = lab
    this.relay = relay
    this.#server = server
    this.#sides = sides
  }

  static async open(lab: Lab): Promise<World> {
    const server = await lab.stunServer()
    const sides = new Map<string, Router>()
    for (const side of ['a', 'b']) for (const kind of NAT_KINDS) sides.set(`${side} ${kind}`, lab.router({ kind }))
    await Promise.all([...sides.values()].map((router) => verify(lab, router, server)))
    const { ticket } = await lab.relay()
    lab.keepPrograms()
    return new World(lab, ticket, server, sides)
  }

  /** Runs a scenario, then ends every program that it left running. */
  async play(scenario: Scenario): Promise<Result> {
    const started = performance.now()
    const outcome = await scenario.run(this).then(
      (seen) => ({ ok: true, seen }),
      (error: Error) => ({ ok: false, seen: error.message }),
    )
    await this.lab.endPrograms()
    const { name, title } = scenario
    return { name, title, ...outcome, seconds: Math.round((performance.now() - started) / 100) / 10 }
  }

  /**
   * A verified router for one scenario. Blocking and loss, which would disturb coturn, are applied
   * afterwards.
   */
  async router(options: RouterOptions): Promise<Router> {
    const { blocked = false, loss = 0, ...plain } = options
    const router = this.lab.router(plain)
    await verify(this.lab, router, this.#server)
    return blocked || loss > 0 ? router.with({ blocked, loss }) : router
  }

  /** A shared router, verified to be of this NAT type. */
  side(side: 'a' | 'b', kind: NatKind): Router {
    return this.#sides.get(`${side} ${kind}`) as Router
  }

  /** Two new hosts behind shared routers. */
  hosts(a: NatKind, b: NatKind): readonly [Host, Host] {
    return [this.lab.host(this.side('a', a)), this.lab.host(this.side('b', b))]
  }
}

/** @throws Error when coturn discovers another NAT type */
export async function verify(lab: Lab, router: Router, server: string): Promise<void> {
  const found = await discover(lab.names, lab.host(router), server)
  const wanted = BEHAVIOUR[router.options.kind]
  if (found !== wanted) throw new Error(`${router.name} should be ${router.options.kind} (${wanted}), but is ${found}.`)
}

export interface Scenario {
  /** As in `pnpm natlab <name>`. */
  readonly name: string
  readonly title: string
  /** Tools that not every machine has, and Debian's packages with them. */
  readonly needs?: Readonly<Record<string, string>>
  /** @returns the observation, in a few words. @throws Error when an expectation fails */
  run(world: World): Promise<string>
}

export interface Result {
  readonly name: string
  readonly title: string
  readonly ok: boolean
  /** The observation, or the error. */
  readonly seen: string
  readonly seconds: number
}

export interface PathEvent extends ProgramEvent {
  readonly path: {
    readonly kind: PathKind
    readonly remote: { readonly ip: string; readonly port: number }
    readonly over?: 'udp' | 'websocket'
  }
}

export const isPath = (event: ProgramEvent): event is PathEvent => event.event === 'connected' || event.event === 'path'
export const isOn =
  (kind: PathKind) =>
  (event: ProgramEvent): boolean =>
    isPath(event) && event.path.kind === kind

export interface Pair {
  readonly caller: Program
  readonly listener: Program
}

/** Connects two hosts, and waits until both use this kind of path. @param hosts files of hosts of their programs */
export async function connectPair(
  { lab, relay }: World,
  from: Host,
  to: Host,
  path: PathKind,
  relays: readonly string[] = [relay],
  hosts?: { readonly from: string; readonly to: string },
): Promise<Pair> {
  const { program: listener, ticket } = await lab.listen(to, relays, { hosts: hosts?.to })
  if (path === 'relay') await expectNoDirectPath(lab, from, ticket, hosts?.from)
  const caller = lab.connect(from, ticket, { args: ['--linger', '3600'], hosts: hosts?.from })
  await Promise.all([caller, listener].map((program) => program.until(`its path is ${path}`, isOn(path))))
  return { caller, listener }
}

/** Checks that a direct-only dial fails, with its reason. */
async function expectNoDirectPath(lab: Lab, from: Host, ticket: string, hosts?: string): Promise<void> {
  const caller = lab.connect(from, ticket, { args: ['--via', 'direct-only'], hosts })
  const code = await caller.ended
  const text = caller.events.findLast(({ event }) => event === 'error')?.text
  if (code !== 3 || !String(text).includes('no probe was answered'))
    throw new Error(`a direct connection should fail here; the dial exited with ${code}.\n${caller.transcript()}`)
}

/** Ends both programs by SIGTERM. */
export async function endPair({ caller, listener }: Pair): Promise<void> {
  await Promise.all([caller.kill(), listener.kill()])
}

/** What is missing for a scenario, in a few words; undefined when it can be played. */
export function lacks({ needs = {} }: Scenario): string | undefined {
  const tools = Object.keys(needs).filter((tool) => !isInstalled(tool))
  if (tools.length === 0) return undefined
  return `no ${tools.join(', ')} (apt-get install ${tools.map((tool) => needs[tool]).join(' ')})`
}
