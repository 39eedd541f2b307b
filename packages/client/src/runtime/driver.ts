/**
 * The one thing that holds a machine: hands it inputs with the time, drains it after each, keeps
 * one timer for its deadline.
 *
 *   batch ────┐               ┌─► transmit → socket
 *   timer ────┼─► machine ────┼─► work → worker ──┐
 *   command ──┤               └─► event → owner   │
 *   result ◄──┴───────────────────────────────────┘
 *
 * A machine may have further sockets: those that its owner gave it, and those that it opens itself.
 *
 * Transmits and work leave while the machine is drained; events are delivered when it is empty, in
 * order, each once. An owner may give commands from inside an event or a tap: their events follow.
 */
import { ShowchainError } from '@showchain/wire'
import {
  type Datagram,
  type Duration,
  duration,
  type Instant,
  later,
  type Machine,
  type Route,
  type SocketChange,
  type SocketId,
  type WebSocketTarget,
  type Work,
} from '../core/endpoint/machine.ts'
import { isConnection } from '../core/endpoint/route.ts'
import type { Clock, Scheduled } from './clock.ts'
import type { ConnectionSocket, DatagramSocket } from './socket.ts'
import type { Worker } from './worker.ts'

/** How long a driver that is closed waits for last words to be signed: a queue of them takes less. */
const LAST_WORDS: Duration = duration(1000)

/** What a machine tells its owner. */
export type EventOf<M> = M extends Machine<infer Event> ? Event : never

export interface DriverOptions<M extends Machine<unknown>> {
  readonly machine: M
  /** The driver is its one receiver and closes it. */
  readonly socket: DatagramSocket
  /** Further sockets, which the machine knows as 1, 2, …; the driver closes them. @default none */
  readonly others?: readonly DatagramSocket[] | undefined
  /** Connections that others make to this host; the driver closes them. @default none */
  readonly connections?: ConnectionSocket | undefined
  /**
   * Opens one more for a machine that asks, or a connection `to` where it says; `failed` tells, now or
   * later, that there is none, or that the connection ended.
   * @default such a machine sends into the void
   */
  readonly openSocket?:
    | ((failed: (why: string) => void, to?: WebSocketTarget) => DatagramSocket | undefined)
    | undefined
  readonly clock: Clock
  /** The driver closes it. */
  readonly worker: Worker
  readonly onEvent: (event: EventOf<M>) => void
  /** Sees each datagram before the machine does. */
  readonly onReceive?: ((datagram: Datagram) => void) | undefined
  /** Sees each datagram before it is sent. */
  readonly onTransmit?: ((to: Route, bytes: Uint8Array) => void) | undefined
}

export class Driver<M extends Machine<unknown>> {
  readonly #options: DriverOptions<M>
  /** Bounded by what one input makes: delivered before the input returns. */
  readonly #events: EventOf<M>[] = []
  /** All but the first; bounded by what the owner gave and by the machine's own limit. */
  readonly #others = new Map<SocketId, DatagramSocket>()
  #armed: { readonly at: Instant; readonly timer: Scheduled } | undefined
  /** Inside the machine or its drain: input that arrives now is drained by the outer call. */
  #busy = false
  /** The turn in which it goes on after a pause of the machine. */
  #paused: Scheduled | undefined
  #delivering = false
  #closed = false
  /** Last words that are being signed, and what waits for them. */
  #last = 0
  #lastSaid: (() => void) | undefined
  /** Whether what the machine sends leaves, though the driver is closed. */
  #parting = false

  constructor(options: DriverOptions<M>) {
    this.#options = options
    options.socket.onDatagrams((batch) => this.#receive(batch))
    options.connections?.onDatagrams((batch) => this.#receive(batch))
    for (const [index, other] of (options.others ?? []).entries()) this.#add(index + 1, other)
    // A machine may have been given work before it had a driver.
    this.#enter(() => {})
  }

  get closed(): boolean {
    return this.#closed
  }

  /**
   * Runs a command on the machine, then drains it. From inside one of the machine's own callbacks
   * the command runs at once, as part of the current input.
   *
   * @throws ShowchainError `ERR_CLOSED`, and whatever the command throws.
   */
  input<T>(command: (machine: M, now: Instant) => T): T {
    if (this.#closed) throw new ShowchainError('ERR_CLOSED')
    return this.#enter(command)
  }

  /**
   * Stops the timer, the worker and the socket, once the last words of connections are signed and
   * sent. Other results and datagrams that come later are dropped.
   */
  async close(): Promise<void> {
    this.#closed = true
    this.#armed?.timer.cancel()
    this.#armed = undefined
    if (this.#last > 0) await this.#untilSaid()
    this.#options.worker.close()
    const others = [...this.#others.values()]
    this.#others.clear()
    const { socket, connections } = this.#options
    await Promise.all([socket, connections, ...others].map((each) => each?.close()))
  }

  /** What came together is one input: one time, and one drain at its end. */
  #receive(batch: readonly Datagram[]): void {
    if (this.#closed) return
    const { onReceive } = this.#options
    this.#enter((machine, now) => {
      for (const datagram of batch) {
        onReceive?.(datagram)
        machine.receive(datagram, now)
      }
    })
  }

  #add(id: SocketId, socket: DatagramSocket): void {
    this.#others.set(id, socket)
    socket.onDatagrams((batch) => {
      if (this.#others.get(id) !== socket) return
      this.#receive(batch.map(({ bytes, source: { ip, port } }) => ({ bytes, source: { ip, port, socket: id } })))
    })
  }

  #change({ change, socket: id, to }: SocketChange): void {
    const known = this.#others.get(id)
    if (change === 'close') {
      this.#others.delete(id)
      // Nothing waits for it, and an error means that it is closed.
      known?.close().catch(() => {})
    } else if (known === undefined) {
      const opened = this.#options.openSocket?.((why) => this.#socketFailed(id, why), to)
      if (opened !== undefined) this.#add(id, opened)
    }
  }

  #socketFailed(id: SocketId, why: string): void {
    this.#others.delete(id)
    if (!this.#closed) this.#enter((machine, now) => machine.socketFailed?.(id, why, now))
  }

  #enter<T>(input: (machine: M, now: Instant) => T): T {
    const { machine, clock } = this.#options
    if (this.#busy) return input(machine, clock.now())
    this.#busy = true
    try {
      while (this.#paused !== undefined) this.#drain()
      return input(machine, clock.now())
    } finally {
      this.#leave()
    }
  }

  #leave(): void {
    try {
      this.#drain()
    } finally {
      this.#busy = false
      // What follows a pause may change the deadline, and arms for it.
      if (this.#paused === undefined) this.#arm()
      this.#deliver()
    }
  }

  /** Until the machine has no more, or makes a pause: then it goes on in the next turn, or with the next input. */
  #drain(): void {
    const { machine, socket, clock, onTransmit } = this.#options
    this.#paused?.cancel()
    this.#paused = undefined
    for (let output = machine.poll(); output !== undefined; output = machine.poll()) {
      if (output.type === 'event') this.#events.push(output.event as EventOf<M>)
      else if (output.type === 'pause') {
        socket.flush?.()
        this.#paused = clock.schedule(clock.now(), () => {
          if (!this.#closed) this.#enter(() => {})
        })
        return
      } else if (this.#closed && !this.#parting) continue
      else if (output.type === 'work') this.#run(output)
      else if (output.type === 'socket') this.#change(output)
      else {
        const { to, bytes } = output
        onTransmit?.(to, bytes)
        if (to.socket === undefined || to.socket <= 0) socket.send(to, bytes)
        else if (isConnection(to)) this.#options.connections?.send(to, bytes)
        else this.#others.get(to.socket)?.send(to, bytes)
      }
    }
  }

  /** A result of the worker is an input like any other. */
  readonly #result = (resume: (now: Instant) => void): void => {
    if (!this.#closed) this.#enter((_, now) => resume(now))
  }

  #run(work: Work): void {
    const { worker } = this.#options
    if (work.kind === 'verify' || work.last !== true) return worker.run(work, this.#result)
    this.#last++
    worker.run(work, (resume) => {
      this.#last--
      this.#parting = true
      this.#enter((_, now) => resume(now))
      this.#parting = false
      if (this.#last === 0) this.#lastSaid?.()
    })
  }

  async #untilSaid(): Promise<void> {
    const { clock } = this.#options
    let patience: Scheduled | undefined
    await new Promise<void>((resolve) => {
      this.#lastSaid = resolve
      patience = clock.schedule(later(clock.now(), LAST_WORDS), resolve)
    })
    patience?.cancel()
  }

  /** Arms only for what is earlier than what is armed: an early wake does nothing but arm again. */
  #arm(): void {
    const at = this.#options.machine.deadline
    if (this.#closed || at === undefined || (this.#armed !== undefined && this.#armed.at <= at)) return
    this.#armed?.timer.cancel()
    const timer = this.#options.clock.schedule(at, () => {
      this.#armed = undefined
      if (!this.#closed) this.#enter((machine, now) => machine.wake(now))
    })
    this.#armed = { at, timer }
  }

  /**
   * An owner that throws gets its exception back from the input; the events after it come with the
   * next one.
   */
  #deliver(): void {
    if (this.#delivering || this.#events.length === 0) return
    this.#delivering = true
    try {
      while (this.#events.length > 0) this.#options.onEvent(this.#events.shift() as EventOf<M>)
    } finally {
      this.#delivering = false
    }
  }
}
