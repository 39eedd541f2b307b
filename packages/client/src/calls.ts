/** Each `connect` of a peer, until its promise is settled. */
import { ShowchainError } from '@showchain/wire'
import type { Waiting } from './async/deadline.ts'
import { Call, type CallOptions } from './call.ts'
import type { Connection } from './connection.ts'
import type { Instant, PeerMachine } from './core/index.ts'
import type { Lan } from './lan.ts'
import type { Names } from './names.ts'
import type { PeerEvents } from './peer-events.ts'
import type { Reachability } from './reachability.ts'

interface CallsOptions {
  readonly names: Names
  readonly reachability: Reachability
  readonly events: PeerEvents
  /** LAN discovery, where it is on. */
  readonly lan: () => Lan | undefined
  /** Runs a command on the machine, unless the peer is closed. */
  input<Result>(command: (machine: PeerMachine, now: Instant) => Result): Result | undefined
}

export class Calls {
  readonly #options: CallsOptions
  readonly #calls = new Set<Call>()

  constructor(options: CallsOptions) {
    this.#options = options
  }

  start(to: Pick<CallOptions, 'ticket' | 'via' | 'early'>, waiting: Waiting<Connection>): Call {
    const { names, reachability, events, lan, input } = this.#options
    const call = new Call(
      {
        ...{ ...to, names, reachability, lan: lan() },
        dial: (addresses, relays) =>
          input((machine, now) => {
            const { ticket, via: policy, early } = to
            const dial = machine.dial({ id: ticket.id, policy, addresses, relays, early }, now)
            call.dialling(dial)
            events.dialling(dial, call)
          }),
        registered: (id) => input((machine) => machine.isRegistered({ id })) === true,
        cancel: (dial) => input((machine, now) => machine.cancelDial(dial, now)),
      },
      waiting,
    )
    this.#calls.add(call)
    call.start()
    return call
  }

  over(call: Call): void {
    this.#calls.delete(call)
  }

  /** The peer closes. */
  close(): void {
    for (const call of this.#calls) call.reject(new ShowchainError('ERR_CLOSED'))
  }
}
