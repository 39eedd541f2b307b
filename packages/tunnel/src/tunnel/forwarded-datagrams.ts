/**
 * Datagrams at the end that forwards. A stream asks the remote peer for flows on each connection;
 * until that is answered a few datagrams wait.
 */
import type { Connection } from '@showchain/client'
import { ForwardedFlows, MAX_HELD, readDatagram } from '../core/index.ts'
import type { DatagramSender } from './datagram-sender.ts'
import type { DatagramSource, TunnelRuntime } from './ports.ts'
import { TunnelStream } from './tunnel-stream.ts'

interface Held {
  readonly payload: Uint8Array
  readonly from: string
}

export class ForwardedDatagrams {
  readonly #source: DatagramSource
  readonly #clock: TunnelRuntime['clock']
  readonly #out: DatagramSender
  readonly #flows = new ForwardedFlows()
  /** Undefined: the remote peer does not take datagrams yet. */
  #connection: Connection | undefined
  /** At most MAX_HELD. */
  #held: Held[] = []

  constructor(source: DatagramSource, clock: TunnelRuntime['clock'], out: DatagramSender) {
    this.#source = source
    this.#clock = clock
    this.#out = out
    source.start((payload, from) => this.#came(payload, from))
  }

  /**
   * Asks the remote peer of a connection for flows; resolves when it agrees. They last until the
   * connection ends, or the remote peer ends the stream.
   * @param failed called when the remote peer resets the stream later
   * @throws TunnelError; ShowchainError `ERR_CLOSED`
   */
  async begin(connection: Connection, failed: (error: unknown) => void): Promise<void> {
    const stream = await TunnelStream.open(connection, 'datagrams')
    await stream.answered()
    this.#connection = connection
    connection.on('close', () => this.#left(connection))
    for (const { payload, from } of this.#held.splice(0)) this.#came(payload, from)
    void this.#receive(connection)
    this.#untilItEnds(stream).then(
      () => this.#left(connection),
      (error: unknown) => {
        this.#left(connection)
        if (connection.end === undefined) failed(error)
      },
    )
  }

  async #untilItEnds(stream: TunnelStream): Promise<void> {
    while ((await stream.read()) !== undefined);
  }

  #left(connection: Connection): void {
    if (this.#connection === connection) this.#connection = undefined
  }

  async #receive(connection: Connection): Promise<void> {
    const { counters } = this.#out
    for await (const bytes of connection) {
      const found = readDatagram(bytes)
      const to = found && this.#flows.to(found.flow, this.#clock.now())
      if (found === undefined || to === undefined) {
        counters.dropped++
        continue
      }
      counters.received += found.payload.length
      this.#source.send(found.payload, to)
    }
  }

  #came(payload: Uint8Array, from: string): void {
    if (this.#connection !== undefined)
      return this.#out.send(this.#connection, this.#flows.from(from, this.#clock.now()), payload)
    this.#held.push({ payload, from })
    if (this.#held.length <= MAX_HELD) return
    this.#held.shift()
    this.#out.counters.dropped++
  }
}
