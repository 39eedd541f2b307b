/** Questions and answers between two processes of one relay, over the channel that Node has between them. */
import { printable } from '@showchain/wire'

/** Milliseconds that a process has for an answer. */
const PATIENCE = 5000

/** What one end offers the other. */
type Offers<Offered> = { readonly [Name in keyof Offered]: (...values: never[]) => unknown }

/** A channel whose messages are cloned (`serialization: 'advanced'`). */
export interface Channel {
  readonly connected: boolean
  send(message: object, callback: (error: Error | null) => void): void
}

interface Message {
  /** Of a question that wants an answer, or of the answer. */
  readonly number?: number | undefined
  /** What is asked; undefined: it is an answer. */
  readonly name?: string | undefined
  readonly values?: readonly unknown[] | undefined
  readonly answer?: unknown
  readonly error?: string | undefined
}

interface Open {
  readonly resolve: (answer: never) => void
  readonly reject: (error: Error) => void
  readonly timer: NodeJS.Timeout
}

export class Line<Theirs extends Offers<Theirs>> {
  readonly #channel: Channel
  #mine: Readonly<Record<string, (...values: readonly never[]) => unknown>> = {}
  readonly #open = new Map<number, Open>()
  #next = 0

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /** What the other end may ask from now on; before, nothing is answered. */
  offer<Mine extends Offers<Mine>>(mine: Mine): void {
    this.#mine = mine as never
  }

  /** @throws Error when the other end has failed, has gone, or does not answer */
  ask<Name extends keyof Theirs & string>(
    name: Name,
    ...values: Parameters<Theirs[Name]>
  ): Promise<Awaited<ReturnType<Theirs[Name]>>> {
    return new Promise((resolve, reject) => {
      const number = this.#next++
      const timer = setTimeout(() => this.#settle(number, { error: `no answer to ${name}` }), PATIENCE)
      this.#open.set(number, { resolve, reject, timer })
      this.#send({ number, name, values })
    })
  }

  /** Wants no answer. */
  tell<Name extends keyof Theirs & string>(name: Name, ...values: Parameters<Theirs[Name]>): void {
    this.#send({ name, values })
  }

  /**
   * The other end said something. Each message has a turn of its own: Node hands over at once all that came
   * together, and what an answer leads to has to be done before what was said after it.
   */
  received(message: Message): void {
    setImmediate(() => this.#handle(message))
  }

  #handle({ number, name, values = [], ...answer }: Message): void {
    if (name !== undefined) void this.#answer(number, name, values)
    else if (number !== undefined) this.#settle(number, answer)
  }

  /** The other end has gone. */
  close(): void {
    for (const number of this.#open.keys()) this.#settle(number, { error: 'the process has gone' })
  }

  async #answer(number: number | undefined, name: string, values: readonly unknown[]): Promise<void> {
    try {
      const offered = Object.hasOwn(this.#mine, name) ? this.#mine[name] : undefined
      if (offered === undefined) throw new Error(`${name} is not offered`)
      const answer = await offered(...(values as readonly never[]))
      if (number !== undefined) this.#send({ number, answer })
    } catch (error) {
      if (number !== undefined) this.#send({ number, error: printable((error as Error).message) })
    }
  }

  #settle(number: number, { answer, error }: Pick<Message, 'answer' | 'error'>): void {
    const open = this.#open.get(number)
    if (open === undefined) return
    this.#open.delete(number)
    clearTimeout(open.timer)
    if (error === undefined) open.resolve(answer as never)
    else open.reject(new Error(error))
  }

  #send(message: Message): void {
    // Who has gone is told nothing, and its end of the channel says so.
    if (this.#channel.connected) this.#channel.send(message, () => {})
  }
}
