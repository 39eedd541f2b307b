/** A peer that is a key, an address and a clock, and a relay's machine with nothing around it: many of them fit. */
import { type Instant, later, type Machine, type Work } from '@showchain/client/core'
import { messagePreimage } from '@showchain/crypto/core'
import type { TestIdentity, TestProvider } from '@showchain/crypto/testing'
import type { FleetMessage, RelayEvent, RelayMachine } from '@showchain/server'
import {
  decode,
  type Endpoint,
  encode,
  formatEndpoint,
  type Message,
  type MessageOf,
  OP,
  type PeerId,
  type Unsigned,
} from '@showchain/wire'
import type { VirtualClock } from '../sim/clock.ts'

type Signed = MessageOf<typeof OP.directRequest | typeof OP.punchRequest | typeof OP.punchAck>
type Unstamped<M> = M extends M ? Omit<M, 'seq' | 'ts' | 'sign' | 'id'> & { seq?: number; ts?: number } : never

/** A relay's machine that sends straight to light peers. */
export class LightRelay {
  readonly machine: RelayMachine
  readonly #clock: VirtualClock
  readonly #identity: TestIdentity
  readonly #provider: TestProvider
  readonly #transmit: (to: Endpoint, bytes: Uint8Array) => void
  readonly #publish: (message: FleetMessage) => void
  #timer: { cancel(): void } | undefined
  #at: Instant | undefined

  constructor(
    machine: RelayMachine,
    around: { clock: VirtualClock; identity: TestIdentity; provider: TestProvider },
    transmit: (to: Endpoint, bytes: Uint8Array) => void,
    publish: (message: FleetMessage) => void,
  ) {
    this.machine = machine
    this.#clock = around.clock
    this.#identity = around.identity
    this.#provider = around.provider
    this.#transmit = transmit
    this.#publish = publish
    this.input(() => {})
  }

  input(command: (machine: RelayMachine, now: Instant) => void): void {
    command(this.machine, this.#clock.now())
    const machine: Machine<RelayEvent | FleetMessage> = this.machine
    for (let output = machine.poll(); output !== undefined; output = machine.poll()) {
      if (output.type === 'transmit') this.#transmit(output.to, output.bytes)
      else if (output.type === 'work') this.#do(output)
      else if (output.type === 'event' && output.event.type === 'fleet') this.#publish(output.event)
    }
    this.#arm()
  }

  kill(): void {
    this.#timer?.cancel()
  }

  #do(work: Work): void {
    const now = this.#clock.now()
    if (work.kind === 'verify') work.resume(this.#provider.verify(work.key, work.preimage, work.signature), now)
    else work.resume(this.#identity.signNow(work.preimage), now)
  }

  #arm(): void {
    const at = this.machine.deadline
    if (at === undefined || (this.#at !== undefined && this.#at <= at)) return
    this.#timer?.cancel()
    this.#at = at
    this.#timer = this.#clock.schedule(at, () => {
      this.#at = undefined
      this.input((machine, now) => machine.wake(now))
    })
  }
}

export class LightPeer {
  readonly identity: TestIdentity
  readonly source: Endpoint
  /** The node that it talks to; undefined: none. */
  node: number | undefined
  registered = false
  readonly #provider: TestProvider
  readonly #unixMs: () => number
  #seq = 1

  constructor(provider: TestProvider, number: number, unixMs: () => number) {
    this.identity = provider.identity(`light ${number}`)
    this.source = { ip: `60.${number >> 16}.${(number >> 8) & 0xff}.${number & 0xff}`, port: 4000 }
    this.#provider = provider
    this.#unixMs = unixMs
  }

  get id(): PeerId {
    return this.identity.id
  }

  get key(): string {
    return formatEndpoint(this.source)
  }

  signed(message: Unstamped<Signed>): Uint8Array {
    const stamped = { id: this.id, seq: this.#seq++, ts: this.#unixMs(), ...message } as Unsigned
    const sign = this.identity.signNow(messagePreimage(this.#provider, stamped))
    return encode({ ...stamped, sign } as Message, 'binary')
  }

  registration(relay: PeerId, cookie?: Uint8Array): Uint8Array {
    const key = this.identity.publicKey.spki
    return this.signed({
      op_code: OP.directRequest,
      target: relay,
      ext: cookie === undefined ? { key } : { key, cookie },
    })
  }
}

/** The message, or undefined for what is none. */
export const read = (bytes: Uint8Array): Message | undefined => {
  const decoded = decode(bytes)
  return decoded.ok ? decoded.message : undefined
}

/** So much later. */
export const after = (clock: VirtualClock, ms: number, what: () => void): void =>
  void clock.schedule(later(clock.now(), ms as Parameters<typeof later>[1]), what)
