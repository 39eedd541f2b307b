/**
 * One request to a router to map a port, or to end that: PCP (RFC 6887), or NAT-PMP (RFC 6886) where
 * the router does not know PCP. It is repeated as the RFCs say, and not as often.
 */
import type { Random } from '@showchain/crypto/core'
import type { Endpoint } from '@showchain/wire'
import { type Duration, duration, type Instant, later } from '../endpoint/machine.ts'
import type { Timer, Timers } from '../endpoint/timers.ts'
import {
  encodeNatPmp,
  encodeNatPmpAddress,
  encodePcp,
  type MappingAnswer,
  type MappingProtocol,
  type MappingRequest,
  readNatPmp,
  readPcp,
} from './mapping-messages.ts'

/** RFC 6887 §8.1.1: IRT, by a factor of 1 ± 0.1. Two requests, and not as many as it takes. */
const PCP_TIMES: readonly Duration[] = [3000, 4000].map(duration)
const PCP_JITTER = 0.1
/** RFC 6886 §3.1: doubled each time. Four requests instead of nine. */
const NAT_PMP_TIMES: readonly Duration[] = [250, 500, 1000, 2000].map(duration)
/** A removal is repeated while its owner closes. */
const REMOVAL_TIMES: readonly Duration[] = [100, 150, 250].map(duration)

/** How a request ended. */
export type MappingResult =
  | {
      readonly type: 'granted'
      readonly protocol: MappingProtocol
      readonly external: Endpoint
      /** Seconds, as the router says it. */
      readonly lifetime: number
    }
  | { readonly type: 'refused'; readonly protocol: MappingProtocol; readonly code: number }
  | { readonly type: 'silent' }
  | { readonly type: 'removed' }

export interface MappingExchangeOptions {
  readonly random: Random
  readonly timers: Pick<Timers, 'set'>
  send(bytes: Uint8Array): void
  done(result: MappingResult, now: Instant): void
}

type Kind = MappingProtocol | 'removal'

export class MappingExchange {
  readonly #options: MappingExchangeOptions
  /** What is asked, or is to be removed. */
  #request: MappingRequest | undefined
  /** What is repeated until its answer. */
  readonly #repeated = new Map<Kind, Timer>()
  /** What NAT-PMP has said so far. */
  #ip: string | undefined
  #granted: { readonly port: number; readonly lifetime: number } | undefined

  constructor(options: MappingExchangeOptions) {
    this.#options = options
  }

  /** Whether an answer is waited for. */
  get busy(): boolean {
    return this.#repeated.size > 0
  }

  /** @param protocol that the router is known to speak */
  ask(request: MappingRequest, protocol: MappingProtocol | undefined, now: Instant): void {
    this.stop()
    this.#request = request
    if (protocol === 'NAT-PMP') return this.#askNatPmp(now)
    const { random } = this.#options
    const times = PCP_TIMES.map((time) => duration(time * (1 + PCP_JITTER * (2 * random.uniform() - 1))))
    const send = (sent: number, at: Instant): void => {
      this.#options.send(encodePcp(request))
      // A router that does not know PCP may be silent about it.
      if (sent === 1 && protocol === undefined) this.#askNatPmp(at)
    }
    this.#repeat('PCP', times, send, now)
  }

  /** Ends the mapping that was granted. */
  remove(request: MappingRequest, protocol: MappingProtocol, now: Instant): void {
    this.stop()
    this.#request = request
    const bytes = removal(request, protocol)
    this.#repeat('removal', REMOVAL_TIMES, () => this.#options.send(bytes), now)
  }

  /** A datagram of the router. @returns whether it is an answer that was waited for */
  receive(bytes: Uint8Array, now: Instant): boolean {
    const request = this.#request
    if (request === undefined || !this.busy) return false
    const removing = this.#repeated.has('removal')
    const natPmp = removing || this.#repeated.has('NAT-PMP') ? readNatPmp(bytes, request) : undefined
    const pcp = removing || this.#repeated.has('PCP') ? readPcp(bytes, request) : undefined
    if (natPmp !== undefined) this.#take(natPmp, 'NAT-PMP', removing, now)
    else if (pcp !== undefined) this.#take(pcp, 'PCP', removing, now)
    return natPmp !== undefined || pcp !== undefined
  }

  stop(): void {
    for (const kind of this.#repeated.keys()) this.#end(kind)
    this.#ip = undefined
    this.#granted = undefined
  }

  #take(answer: MappingAnswer, protocol: MappingProtocol, removing: boolean, now: Instant): void {
    if (removing) return this.#done({ type: 'removed' }, now)
    switch (answer.type) {
      case 'otherVersion':
        this.#end('PCP')
        if (!this.#repeated.has('NAT-PMP')) this.#askNatPmp(now)
        return
      case 'refused':
        return this.#done({ type: 'refused', protocol, code: answer.code }, now)
      case 'address':
        this.#ip = answer.ip
        break
      case 'mapped':
        if (answer.ip !== undefined) this.#ip = answer.ip
        this.#granted = answer
    }
    if (this.#ip === undefined || this.#granted === undefined) return
    const { port, lifetime } = this.#granted
    this.#done({ type: 'granted', protocol, external: { ip: this.#ip, port }, lifetime }, now)
  }

  #askNatPmp(now: Instant): void {
    const send = (): void => {
      if (this.#ip === undefined) this.#options.send(encodeNatPmpAddress())
      if (this.#granted === undefined) this.#options.send(encodeNatPmp(this.#request as MappingRequest))
    }
    this.#repeat('NAT-PMP', NAT_PMP_TIMES, send, now)
  }

  /** Sends at once and after each time but the last, which is how long the last answer is waited for. */
  #repeat(
    kind: Kind,
    times: readonly Duration[],
    send: (sent: number, now: Instant) => void,
    now: Instant,
    sent: number = 0,
  ): void {
    this.#repeated.delete(kind)
    const wait = times[sent]
    if (wait === undefined) {
      if (!this.busy) this.#done({ type: kind === 'removal' ? 'removed' : 'silent' }, now)
      return
    }
    const again = (at: Instant): void => this.#repeat(kind, times, send, at, sent + 1)
    this.#repeated.set(kind, this.#options.timers.set(later(now, wait), again))
    send(sent, now)
  }

  #done(result: MappingResult, now: Instant): void {
    this.stop()
    this.#options.done(result, now)
  }

  #end(kind: Kind): void {
    this.#repeated.get(kind)?.cancel()
    this.#repeated.delete(kind)
  }
}

/** What ends a mapping: a request for 0 seconds (RFC 6887 §15, RFC 6886 §3.4). */
export function removal(request: MappingRequest, protocol: MappingProtocol): Uint8Array {
  const nothing = { ...request, suggested: { ip: undefined, port: 0 }, lifetime: 0 }
  return protocol === 'NAT-PMP' ? encodeNatPmp(nothing) : encodePcp(nothing)
}
