/**
 * The flows of one connection at the end that serves: a socket to the target for each. They are
 * there while the stream is open that asked for them; datagrams of other times are dropped.
 */
import type { Connection } from '@showchain/client'
import type { Scheduled } from '@showchain/client/runtime'
import { readDatagram, ServedFlows } from '../core/index.ts'
import type { DatagramSender } from './datagram-sender.ts'
import { TunnelError } from './errors.ts'
import type { ByteStream, DatagramTarget, FlowSocket, TunnelRuntime } from './ports.ts'

export class ServedDatagrams {
  readonly #connection: Connection
  readonly #target: DatagramTarget
  readonly #clock: TunnelRuntime['clock']
  readonly #out: DatagramSender
  #flows: ServedFlows<FlowSocket> | undefined
  #timer: Scheduled | undefined

  constructor(connection: Connection, target: DatagramTarget, { clock }: TunnelRuntime, out: DatagramSender) {
    this.#connection = connection
    this.#target = target
    this.#clock = clock
    this.#out = out
  }

  /** Takes the datagrams of the connection until that ends. */
  async run(): Promise<void> {
    for await (const bytes of this.#connection) this.#came(bytes)
  }

  /** Serves flows until the stream ends. @throws TunnelError `busy`: another stream asked for them; as `read` */
  async during(stream: Pick<ByteStream, 'read'>): Promise<void> {
    if (this.#flows !== undefined) throw new TunnelError('busy')
    this.#flows = new ServedFlows()
    try {
      while ((await stream.read()) !== undefined);
    } finally {
      this.#timer?.cancel()
      this.#timer = undefined
      this.#flows.close()
      this.#flows = undefined
    }
  }

  #came(bytes: Uint8Array): void {
    const { counters } = this.#out
    const found = readDatagram(bytes)
    if (found === undefined || this.#flows === undefined) {
      counters.dropped++
      return
    }
    const { flow, payload } = found
    const open = (): FlowSocket => this.#target.open((answer) => this.#answered(flow, answer))
    counters.received += payload.length
    this.#flows.of(flow, open, this.#clock.now()).send(payload)
    this.#arm()
  }

  #answered(flow: number, payload: Uint8Array): void {
    this.#flows?.touch(flow, this.#clock.now())
    this.#out.send(this.#connection, flow, payload)
  }

  #arm(): void {
    const deadline = this.#flows?.deadline
    if (this.#timer !== undefined || deadline === undefined) return
    this.#timer = this.#clock.schedule(deadline, () => {
      this.#timer = undefined
      this.#flows?.expire(this.#clock.now())
      this.#arm()
    })
  }
}
