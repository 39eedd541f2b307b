/**
 * A NAT in RFC 4787's words. Mapping and filtering are one question each: which part of the remote
 * endpoint makes a difference? The answer is the key function, and the key function is the
 * definition.
 *
 *   mapping    (internal endpoint, KEY[mapping](destination))  → external port        RFC 4787 §4.1
 *   filtering  (mapping, KEY[filtering](source))               → may come in          RFC 4787 §5
 */
import { type Duration, duration, type Instant, later } from '@showchain/client/core'
import type { Random } from '@showchain/crypto/core'
import { type Endpoint, formatEndpoint } from '@showchain/wire'

/** What a mapping or a filter depends on (RFC 4787 §4.1, §5). */
export type Dependence = 'endpoint-independent' | 'address-dependent' | 'address-and-port-dependent'

/** What a NAT does (RFC 4787). */
export interface NatBehaviour {
  readonly mapping: Dependence
  readonly filtering: Dependence
  /**
   * Which external port a new mapping gets (RFC 4787 §4.2.1, §4.2.2): the internal one where it is
   * free, the next, or any.
   */
  readonly allocation: 'preserving' | 'sequential' | 'random'
  /** How long a mapping lives that nothing refreshes (RFC 4787 REQ-5). */
  readonly lifetime: Duration
  /**
   * What refreshes a mapping (RFC 4787 REQ-6): packets from inside, or those from outside that pass
   * the filter as well.
   */
  readonly refresh: 'outbound' | 'both'
  /** Whether a host inside reaches another one by its external endpoint (RFC 4787 §6). */
  readonly hairpin: boolean
  /** Mappings at once; a new one beyond is refused, and its packet dropped. */
  readonly capacity: number
}

/** The part of a remote endpoint that makes a difference. */
export const KEY: Readonly<Record<Dependence, (remote: Endpoint) => string>> = {
  'endpoint-independent': () => '',
  'address-dependent': ({ ip }) => ip,
  'address-and-port-dependent': formatEndpoint,
}

/**
 * As home routers are mostly: ports kept where possible, two minutes (RFC 4787 REQ-5 wants that at
 * least), no hairpinning.
 */
const COMMON: Omit<NatBehaviour, 'mapping' | 'filtering'> = {
  allocation: 'preserving',
  lifetime: duration(120_000),
  refresh: 'outbound',
  hairpin: false,
  capacity: 65_536,
}

type Preset = (changes?: Partial<NatBehaviour>) => NatBehaviour
const preset =
  (base: Partial<NatBehaviour> & Pick<NatBehaviour, 'mapping' | 'filtering'>): Preset =>
  (changes) => ({ ...COMMON, ...base, ...changes })

/** The four types of the seed, which are RFC 3489's (§5) in RFC 4787's words. */
export const nat: Readonly<Record<'T1' | 'T2' | 'T3' | 'T4', Preset>> = {
  /** Full cone. */
  T1: preset({ mapping: 'endpoint-independent', filtering: 'endpoint-independent' }),
  /** Address-restricted cone. */
  T2: preset({ mapping: 'endpoint-independent', filtering: 'address-dependent' }),
  /** Port-restricted cone. */
  T3: preset({ mapping: 'endpoint-independent', filtering: 'address-and-port-dependent' }),
  /** Symmetric, with unpredictable ports. */
  T4: preset({
    mapping: 'address-and-port-dependent',
    filtering: 'address-and-port-dependent',
    allocation: 'random',
  }),
}

/** Ports that mappings get: not the well-known ones (RFC 4787 §4.2.2). */
const FIRST_PORT = 1024
const LAST_PORT = 65_535
const PORTS = LAST_PORT - FIRST_PORT + 1
/** Where a sequential NAT begins after each start. */
const FIRST_SEQUENTIAL = 40_000
/** Sources that one mapping lets in, at most; the oldest makes room. */
const MAX_PERMISSIONS = 4096
/** Draws for a free port before the NAT looks through all of them. */
const RANDOM_TRIES = 16

interface Mapping {
  readonly key: string
  readonly internal: Endpoint
  readonly port: number
  expires: Instant
  /** By filtering key: when this source may not come in any more. At most MAX_PERMISSIONS. */
  readonly permissions: Map<string, Instant>
}

/** One NAT's table of mappings for one external address. */
export class NatTable {
  readonly behaviour: NatBehaviour
  readonly #random: Random
  /** At most `capacity`. */
  readonly #byKey = new Map<string, Mapping>()
  readonly #byPort = new Map<number, Mapping>()
  #nextPort = FIRST_SEQUENTIAL

  constructor(behaviour: NatBehaviour, random: Random) {
    this.behaviour = behaviour
    this.#random = random
  }

  /** Mappings that are alive. */
  size(now: Instant): number {
    this.#expire(now)
    return this.#byKey.size
  }

  /**
   * A packet goes out: the external port that it leaves from, or undefined when the table is full.
   */
  outbound(internal: Endpoint, remote: Endpoint, now: Instant): number | undefined {
    const { filtering, lifetime } = this.behaviour
    const key = this.#key(internal, remote)
    let mapping = this.#live(this.#byKey.get(key), now)
    if (mapping === undefined) {
      const port = this.#allocate(internal.port, now)
      if (port === undefined) return undefined
      mapping = { key, internal, port, expires: now, permissions: new Map() }
      this.#byKey.set(key, mapping)
      this.#byPort.set(port, mapping)
    }
    mapping.expires = later(now, lifetime)
    const permission = KEY[filtering](remote)
    mapping.permissions.delete(permission)
    mapping.permissions.set(permission, mapping.expires)
    if (mapping.permissions.size > MAX_PERMISSIONS)
      mapping.permissions.delete(mapping.permissions.keys().next().value as string)
    return mapping.port
  }

  /** The external port that such a packet would leave from by a mapping that is there. */
  leaves(internal: Endpoint, remote: Endpoint, now: Instant): number | undefined {
    return this.#live(this.#byKey.get(this.#key(internal, remote)), now)?.port
  }

  /** A packet comes in at an external port: where it goes inside, or why it does not. */
  inbound(port: number, remote: Endpoint, now: Instant): Endpoint | 'no mapping' | 'filtered' {
    const mapping = this.#live(this.#byPort.get(port), now)
    if (mapping === undefined) return 'no mapping'
    const { filtering, lifetime, refresh } = this.behaviour
    const permission = KEY[filtering](remote)
    const until = mapping.permissions.get(permission)
    if (until === undefined || until <= now) return 'filtered'
    if (refresh === 'both') {
      mapping.expires = later(now, lifetime)
      mapping.permissions.set(permission, mapping.expires)
    }
    return mapping.internal
  }

  /** The power was off. */
  clear(): void {
    this.#byKey.clear()
    this.#byPort.clear()
    this.#nextPort = FIRST_SEQUENTIAL + 1 + Math.floor(this.#random.uniform() * 1000)
  }

  #key(internal: Endpoint, remote: Endpoint): string {
    return `${formatEndpoint(internal)} ${KEY[this.behaviour.mapping](remote)}`
  }

  #live(mapping: Mapping | undefined, now: Instant): Mapping | undefined {
    if (mapping === undefined || mapping.expires > now) return mapping
    this.#remove(mapping)
    return undefined
  }

  #remove(mapping: Mapping): void {
    this.#byKey.delete(mapping.key)
    this.#byPort.delete(mapping.port)
  }

  #expire(now: Instant): void {
    for (const mapping of [...this.#byKey.values()]) this.#live(mapping, now)
  }

  #allocate(wanted: number, now: Instant): number | undefined {
    if (this.#byKey.size >= this.behaviour.capacity) this.#expire(now)
    if (this.#byKey.size >= Math.min(this.behaviour.capacity, PORTS)) return undefined
    switch (this.behaviour.allocation) {
      case 'preserving':
        return this.#free(wanted, now) ? wanted : this.#next(wanted, now)
      case 'sequential': {
        const port = this.#next(this.#nextPort - 1, now)
        this.#nextPort = port + 1
        return port
      }
      case 'random': {
        for (let tries = 0; tries < RANDOM_TRIES; tries++) {
          const port = FIRST_PORT + Math.floor(this.#random.uniform() * PORTS)
          if (this.#free(port, now)) return port
        }
        return this.#next(FIRST_PORT + Math.floor(this.#random.uniform() * PORTS), now)
      }
    }
  }

  #free(port: number, now: Instant): boolean {
    return port >= FIRST_PORT && this.#live(this.#byPort.get(port), now) === undefined
  }

  /** The next free port after this one; there is one, since the table is smaller than the range. */
  #next(port: number, now: Instant): number {
    let next = port
    do next = next >= LAST_PORT || next < FIRST_PORT ? FIRST_PORT : next + 1
    while (!this.#free(next, now))
    return next
  }
}
