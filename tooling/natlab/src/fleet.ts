/**
 * A fleet of the lab: a NATS server, and relays with one identity on the public segment, whose name has the
 * addresses of all. Each peer gets a file of hosts that begins with the node that it tries first.
 */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Lab, NET, RELAY_PROGRAM, RELAYS } from './lab.ts'
import type { Program, ProgramEvent } from './program.ts'

const NAME = 'fleet.lab'
/** The relay that all scenarios share has other ports at one of these addresses. */
const PORT = 4500
const NATS_PORT = 4222
export const NODES = [0, 1, 2] as const
export type NodeIndex = (typeof NODES)[number]

const addressOf = (node: NodeIndex): string => `${NET}.${RELAYS[node]}`

const isSaid =
  (text: string) =>
  ({ msg }: ProgramEvent): boolean =>
    msg === text

export class Fleet {
  readonly #lab: Lab
  readonly #secret: string
  readonly #nodes = new Map<NodeIndex, Program>()
  #nats: Program | undefined
  /** Names all of them. */
  ticket = ''

  private constructor(lab: Lab) {
    this.#lab = lab
    this.#secret = join(lab.folder, 'fleet.secret')
    writeFileSync(this.#secret, randomBytes(32).toString('hex'), { mode: 0o600 })
  }

  /** When every node knows the two others. */
  static async open(lab: Lab): Promise<Fleet> {
    const fleet = new Fleet(lab)
    await fleet.startNats()
    // The first one makes the identity of all.
    for (const node of NODES) await fleet.start(node)
    await Promise.all(NODES.map((node) => fleet.#joined(node)))
    return fleet
  }

  async startNats(): Promise<void> {
    const nats = this.#lab.start('nats', 'public', ['nats-server', '-a', addressOf(0), '-p', String(NATS_PORT)])
    this.#nats = nats
    await nats.until('it listens', ({ text }) => String(text).includes('Server is ready'))
  }

  async killNats(): Promise<void> {
    await this.#nats?.kill('SIGKILL')
  }

  /** It hangs for so many seconds, and goes on. */
  async suspendNats(seconds: number): Promise<void> {
    this.#nats?.child.kill('SIGSTOP')
    await sleep(seconds * 1000)
    this.#nats?.child.kill('SIGCONT')
  }

  async start(node: NodeIndex): Promise<void> {
    const [here, there] = [addressOf(node), `${NET}.${RELAYS[node] + 1}`]
    const alternates = [`${here}:${PORT + 1}`, `${there}:${PORT}`, `${there}:${PORT + 1}`]
    const program = this.#lab.start(`node${node}`, 'public', [
      ...[process.execPath, RELAY_PROGRAM, '--identity', join(this.#lab.folder, 'fleet.pem'), '--create-identity'],
      ...['--listen', `${here}:${PORT}`, '--public-address', `${NAME}:${PORT}`, '--log-format', 'json'],
      ...alternates.flatMap((address) => ['--stun-alternate', address]),
      ...['--fleet', `nats://${addressOf(0)}:${NATS_PORT}`, '--node', String(node), '--fleet-secret', this.#secret],
    ])
    this.#nodes.set(node, program)
    const { ticket } = await program.until('it has a ticket', ({ event }) => event === 'ticket')
    this.ticket = ticket as string
  }

  async kill(node: NodeIndex, how: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.#nodes.get(node)?.kill(how)
  }

  /** It ends as an operator ends it, starts again, and knows the others. */
  async restart(node: NodeIndex): Promise<void> {
    await this.kill(node, 'SIGTERM')
    await this.start(node)
    await this.#joined(node)
  }

  /** A file of hosts in which this node's address is the first of the fleet's name. */
  hostsWith(first: NodeIndex): string {
    const path = join(this.#lab.folder, `hosts${first}`)
    const order = [first, ...NODES.filter((node) => node !== first)]
    writeFileSync(path, `127.0.0.1 localhost\n${order.map((node) => `${addressOf(node)} ${NAME}\n`).join('')}`)
    return path
  }

  /** Whether a peer of this node said so. */
  readonly isAt =
    (node: NodeIndex) =>
    (event: ProgramEvent): boolean =>
      JSON.stringify(event).includes(`"${addressOf(node)}`)

  async #joined(node: NodeIndex): Promise<void> {
    const program = this.#nodes.get(node) as Program
    for (const other of NODES)
      if (other !== node)
        await program.until(
          `node ${other} is there`,
          (event) => isSaid('a node of the fleet is there')(event) && event.node === other,
        )
  }
}
