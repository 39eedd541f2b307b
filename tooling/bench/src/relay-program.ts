/** `showchain-relay` as anybody runs it, and peers with keys of their own that have sessions through it. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { decode, OP, type PeerId, parseTicket, type SessionId, sessionIdToBytes } from '@showchain/wire'
import { writeChannelHeader } from '@showchain/wire/end-to-end'
import { sessionNode } from '@showchain/wire/fleet'
import type { Actor } from './actors.ts'
import { exchange, LOOPBACK } from './loopback.ts'
import { NO_FRAME_LIMITS } from './middle.ts'

const PROGRAM = fileURLToPath(new URL('../node_modules/@showchain/relay/bin/showchain-relay.js', import.meta.url))
/** A second of /proc/PID/stat (sysconf(_SC_CLK_TCK)), the same on every Linux. */
const TICKS = 100
/** Of no length that is measured. */
const HELLO_BYTES = 100

/** User and system time of a process and its children, by proc(5). */
export function treeSeconds(pid: number): number {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  const [user = 0, system = 0] = fields.split(' ').slice(11, 13).map(Number)
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  return children.reduce((sum, child) => sum + treeSeconds(Number(child)), (user + system) / TICKS)
}

/** Ends with the benchmark. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

export class RelayProgram {
  readonly id: PeerId
  readonly port: number
  readonly #child: ChildProcess
  readonly #log: string[] = []
  readonly #looks = new Set<() => void>()

  private constructor(child: ChildProcess, ticket: string) {
    this.#child = child
    const { id, addresses } = parseTicket(ticket)
    this.id = id
    this.port = addresses[0]?.port ?? 0
    createInterface({ input: child.stderr as Readable }).on('line', (line) => {
      this.#log.push(line)
      for (const look of this.#looks) look()
    })
  }

  /** @param identity path of its key, which is made when it is not there */
  static async start(identity: string, ...args: readonly string[]): Promise<RelayProgram> {
    const limits = Object.entries(NO_FRAME_LIMITS).flatMap(([name, value]) => ['--limit', `${name}=${value}`])
    const own = ['--identity', identity, '--create-identity', '--listen', `${LOOPBACK}:0`, '--log-format', 'json']
    const stdio = ['ignore', 'pipe', 'pipe'] as const
    const child = spawn(process.execPath, [PROGRAM, ...own, ...limits, ...args], { stdio: [...stdio] })
    for await (const line of createInterface({ input: child.stdout as unknown as Readable }))
      return new RelayProgram(child, line)
    throw new Error('A relay of the benchmark did not start.')
  }

  /** When its log has a line with this. */
  logged(text: string): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!this.#log.some((line) => line.includes(text))) return
        this.#looks.delete(look)
        resolve()
      }
      this.#looks.add(look)
      look()
    })
  }

  /** Of all its processes. */
  get cpuSeconds(): number {
    return treeSeconds(this.#child.pid as number)
  }

  async register(socket: Socket, actor: Actor): Promise<void> {
    const { spki: key } = actor.identity.publicKey
    const challenge = await this.#ask(socket, () => actor.registration(this.id, Date.now(), { key }))
    if (challenge.op_code !== OP.challenge) throw new Error('The relay did not challenge.')
    const { cookie } = challenge
    await this.#ask(socket, () => actor.registration(this.id, Date.now(), { key, cookie }))
  }

  async session(socket: Socket, actor: Actor, target: PeerId): Promise<SessionId> {
    const answer = await this.#ask(socket, () => actor.sessionRequest(target, Date.now()))
    if (answer.op_code !== OP.proxyResponse) throw new Error('The relay opened no session.')
    return answer.session
  }

  end(): Promise<void> {
    return endProcess(this.#child)
  }

  async #ask(socket: Socket, request: () => Uint8Array) {
    const answer = decode(await exchange(socket, request, this.port))
    if (!answer.ok) throw new Error(`The relay answered with what is no message: ${answer.refusal}.`)
    return answer.message
  }
}

export function frameIn(session: SessionId, bytes: number = HELLO_BYTES): Uint8Array {
  const frame = new Uint8Array(bytes).fill(0x5a)
  writeChannelHeader(frame, sessionIdToBytes(session))
  return frame
}

/** The node, or worker, that has a session. */
export const nodeOf = (session: SessionId): number => sessionNode(sessionIdToBytes(session), 0)
