/**
 * One request to a router to map a port, or to end that: PCP (RFC 6887), NAT-PMP (RFC 6886) where the
 * router does not know PCP, and UPnP where it is silent to both. The first two are repeated as the RFCs
 * say, and not as often; UPnP is a task of the owner, since it takes HTTP.
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
/** As long for a removal by UPnP, which is asked for once. */
const UPNP_REMOVAL_TIMES: readonly Duration[] = [500].map(duration)

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
  /** It says by UPnP what nobody may rely on. `why`: half a sentence. */
  | { readonly type: 'unusable'; readonly why: string }
  | { readonly type: 'silent' }
  | { readonly type: 'removed' }

/** What an owner does by UPnP: one task at a time, a new one ends the one before. */
export interface UpnpTask {
  readonly id: number
  /** Undefined: to end what was mapped. */
  readonly request: MappingRequest | undefined
}

/** What became of a task. */
export type UpnpAnswer =
  | { readonly type: 'granted'; readonly external: Endpoint; readonly lifetime: number }
  | { readonly type: 'refused'; readonly code: number }
  | Extract<MappingResult, { type: 'unusable' | 'silent' | 'removed' }>

export interface MappingExchangeOptions {
  readonly random: Random
  readonly timers: Pick<Timers, 'set'>
  send(bytes: Uint8Array): void
  /** Does a task. Undefined: the owner cannot. */
  readonly upnp: ((task: UpnpTask) => void) | undefined
  done(result: MappingResult, now: Instant): void
}

type Kind = 'PCP' | 'NAT-PMP' | 'removal'

export class MappingExchange {
  readonly #options: MappingExchangeOptions
  /** What is asked, or is to be removed. */
  #request: MappingRequest | undefined
  /** What is repeated until its answer. */
  readonly #repeated = new Map<Kind, Timer>()
  /** What NAT-PMP has said so far. */
  #ip: string | undefined
  #granted: { readonly port: number; readonly lifetime: number } | undefined
  /** Of the last task. */
  #task = 0
  /** That it is to map a port, and waited for. */
  #waiting = false
  #mayBeLeft = false

  constructor(options: MappingExchangeOptions) {
    this.#options = options
  }

  /** Whether an answer is waited for. */
  get busy(): boolean {
    return this.#waiting || this.#repeated.size > 0
  }

  /** Whether UPnP may have mapped what was not ended. */
  get mayBeLeft(): boolean {
    return this.#mayBeLeft
  }

  /** @param protocol that the router is known to speak */
  ask(request: MappingRequest, protocol: MappingProtocol | undefined, now: Instant): void {
    this.stop()
    this.#request = request
    if (protocol === 'UPnP') return this.#askUpnp()
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
    if (protocol === 'UPnP') return this.removeByUpnp(now)
    this.stop()
    this.#request = request
    const bytes = removal(request, protocol)
    this.#repeat('removal', REMOVAL_TIMES, () => this.#options.send(bytes), now)
  }

  /** Ends what UPnP may have mapped. */
  removeByUpnp(now: Instant): void {
    this.stop()
    this.#repeat('removal', UPNP_REMOVAL_TIMES, () => this.#endByUpnp(), now)
  }

  /** Ends a mapping without waiting: one packet, since it expires in any case. */
  drop(request: MappingRequest, protocol: MappingProtocol): void {
    if (protocol === 'UPnP') this.#endByUpnp()
    else this.#options.send(removal(request, protocol))
  }

  /** What became of a task. */
  answer(id: number, answer: UpnpAnswer, now: Instant): void {
    if (id !== this.#task) return
    if (answer.type === 'removed') {
      this.#mayBeLeft = false
      if (this.#repeated.has('removal')) this.#done(answer, now)
    } else if (this.#waiting) {
      const named = answer.type === 'granted' || answer.type === 'refused'
      this.#done(named ? { ...answer, protocol: 'UPnP' } : answer, now)
    }
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
    this.#waiting = false
  }

  #take(answer: MappingAnswer, protocol: 'PCP' | 'NAT-PMP', removing: boolean, now: Instant): void {
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

  #askUpnp(): void {
    this.#waiting = true
    this.#mayBeLeft = true
    this.#options.upnp?.({ id: ++this.#task, request: this.#request })
  }

  #endByUpnp(): void {
    this.#options.upnp?.({ id: ++this.#task, request: undefined })
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
      if (this.busy) return
      if (kind !== 'removal' && this.#options.upnp !== undefined) return this.#askUpnp()
      return this.#done({ type: kind === 'removal' ? 'removed' : 'silent' }, now)
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
function removal(request: MappingRequest, protocol: 'PCP' | 'NAT-PMP'): Uint8Array {
  const nothing = { ...request, suggested: { ip: undefined, port: 0 }, lifetime: 0 }
  return protocol === 'NAT-PMP' ? encodeNatPmp(nothing) : encodePcp(nothing)
}
