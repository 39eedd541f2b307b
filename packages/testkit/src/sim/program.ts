/**
 * A program on a simulated host, as it is: what it takes from `node:dgram`, timers, `Date` and
 * `performance` is that of its host (stand-ins.ts puts it there). It is found by the asynchronous
 * context, so that programs on several hosts run in one process.
 */
import { AsyncLocalStorage, createHook } from 'node:async_hooks'
import type { Socket, SocketOptions } from 'node:dgram'
import type { Clock, DatagramSocket } from '@showchain/client/runtime'
import { type DgramType, virtualDgram } from './dgram.ts'
import { installStandIns } from './stand-ins.ts'
import { VirtualTimers } from './timers.ts'

/** What a program runs on. */
export interface ProgramHost {
  readonly name: string
  readonly clock: Clock
  socket(port: number): DatagramSocket
}

type OnMessage = Parameters<Socket['on']>[1]

const context = new AsyncLocalStorage<Program>()
/** Programs that are not over, by the clock of their simulation. */
const programs = new Map<Clock, Program[]>()
let uninstall: (() => void) | undefined

/** What Node makes for a timer or a UDP socket that is real (types of `async_hooks`). */
const REAL: ReadonlyMap<string, string> = new Map([
  ['Timeout', 'a real timer'],
  ['Immediate', 'a real setImmediate'],
  ['UDPWRAP', 'a real UDP socket'],
])
const watch = createHook({
  init(_id, type) {
    const real = REAL.get(type)
    if (real !== undefined) context.getStore()?.leaked(real)
  },
})

export class Program {
  readonly clock: Clock
  readonly timers: VirtualTimers
  readonly #host: ProgramHost
  /** Bounded by what the program opens. */
  readonly #sockets: DatagramSocket[] = []
  #leaked = false

  constructor(host: ProgramHost) {
    this.#host = host
    this.clock = host.clock
    this.timers = new VirtualTimers(host.clock)
  }

  /** As `dgram.createSocket`. */
  createSocket(options: SocketOptions | DgramType, onMessage?: OnMessage): Socket {
    const type = typeof options === 'string' ? options : options.type
    const socket = virtualDgram({ type, clock: this.clock, open: (port) => this.#open(port) })
    if (onMessage !== undefined) socket.on('message', onMessage)
    const signal = typeof options === 'string' ? undefined : options.signal
    signal?.addEventListener('abort', () => socket.close(), { once: true })
    return socket
  }

  /** Fails the scenario when its time passes next; here nothing may be thrown. */
  leaked(what: string): void {
    if (this.#leaked) return
    this.#leaked = true
    const error = new Error(`The program on ${this.#host.name} started ${what}.`)
    this.clock.schedule(this.clock.now(), () => {
      throw error
    })
  }

  /** As when its process is killed. */
  end(): void {
    this.timers.end()
    for (const socket of this.#sockets) void socket.close()
  }

  #open(port: number): DatagramSocket {
    const socket = this.#host.socket(port)
    this.#sockets.push(socket)
    return socket
  }
}

/** Runs a program on a host: all that it calls, now and later, until `endPrograms`. */
export function runProgram<Result>(host: ProgramHost, program: () => Result): Result {
  if (uninstall === undefined) {
    uninstall = installStandIns(() => context.getStore())
    watch.enable()
  }
  const added = new Program(host)
  programs.set(host.clock, [...(programs.get(host.clock) ?? []), added])
  return context.run(added, program)
}

/** Ends all programs of a simulation; after the last one of all, what is Node's is Node's again. */
export function endPrograms(clock: Clock): void {
  for (const program of programs.get(clock) ?? []) program.end()
  programs.delete(clock)
  if (programs.size > 0) return
  watch.disable()
  uninstall?.()
  uninstall = undefined
}

/** Runs something of the simulation, which no program's time is for. */
export function outsidePrograms<Result>(what: () => Result): Result {
  return context.exit(what)
}
