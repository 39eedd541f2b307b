/** The messages of one step of the demo, as their senders report them. */
import { OP } from '@showchain/wire'
import type { Sent } from './processes.ts'
import type { Show } from './show.ts'

/**
 * Deadline for the messages of a step. They take under a second, or a few retransmissions on a busy
 * machine.
 */
const TIMEOUT_MS = 15_000
/** Data messages of one step that are shown one by one. */
const SHOWN_DATA = 6
const DATA_OPS: readonly number[] = [OP.proxyData, OP.proxyPassData, OP.proxyDataAck]

/** A kind of message that a step must show: its sender and its receiver. */
export type Expected = readonly [op: number, from: string, to: string]

export class ObservedMessages {
  readonly #show: Show
  /** Names of processes by `ip:port`. */
  readonly #names = new Map<string, string>()
  /**
   * Messages to an address without a name yet: reports of different processes arrive in any order.
   */
  #unnamed: Sent[] = []
  #messages: { readonly sent: Sent; readonly to: string }[] = []
  readonly #observers = new Set<() => void>()
  #data = 0

  constructor(show: Show) {
    this.#show = show
  }

  /** Messages since `begin`. */
  get count(): number {
    return this.#messages.length
  }

  /** Data messages since `begin` that were not shown. */
  get hidden(): number {
    return Math.max(0, this.#data - SHOWN_DATA)
  }

  /** A new step. */
  begin(): void {
    this.#messages = []
    this.#data = 0
  }

  name(address: string, name: string): void {
    this.#names.set(address, name)
    for (const sent of this.#unnamed.splice(0)) this.add(sent)
  }

  add(sent: Sent): void {
    const to = this.#names.get(sent.to)
    if (to === undefined) {
      this.#unnamed.push(sent)
      return
    }
    this.#messages.push({ sent, to })
    const isData = DATA_OPS.includes(sent.op)
    if (isData) this.#data++
    if (!isData || this.#data <= SHOWN_DATA) this.#show.message(sent, to)
    for (const look of this.#observers) look()
  }

  /**
   * Resolves when each expected message was observed.
   * @throws Error that names the missing ones, after a deadline
   */
  all(expected: readonly Expected[]): Promise<void> {
    const missing = (): readonly Expected[] =>
      expected.filter(
        ([op, from, to]) =>
          !this.#messages.some(({ sent, to: at }) => sent.op === op && sent.from === from && at === to),
      )
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#observers.delete(look)
        const names = missing().map(([op, from, to]) => `0x${op.toString(16)} ${from} → ${to}`)
        reject(new Error(`not observed: ${names.join(', ')}`))
      }, TIMEOUT_MS)
      const look = (): void => {
        if (missing().length > 0) return
        this.#observers.delete(look)
        clearTimeout(timer)
        resolve()
      }
      this.#observers.add(look)
      look()
    })
  }
}
