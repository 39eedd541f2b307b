/**
 * What a router does that maps ports for hosts behind it: PCP's MAP (RFC 6887), NAT-PMP (RFC 6886) and
 * UPnP, of which there is what is said and no HTTP; and the packets that come in at such a port, and
 * answer those.
 */
import {
  type Duration,
  duration,
  type Instant,
  later,
  type MappingProtocol,
  type MappingRequest,
  type UpnpAnswer,
} from '@showchain/client/core'
import type { Clock } from '@showchain/client/runtime'
import type { Random } from '@showchain/crypto/core'
import { type Endpoint, formatEndpoint, parseIp, sameEndpoint } from '@showchain/wire'
import type { Packet } from '../sim/packet.ts'

/** How a router maps ports. */
export interface MappingServerOptions {
  /** The protocols that it knows. */
  readonly speaks: readonly MappingProtocol[]
  /** The outside address that it names. @default its own */
  readonly claims?: string | undefined
  /** Seconds that it grants at most. @default 86,400 */
  readonly lifetime?: number | undefined
  /** The result code of all its answers. @default 0: success */
  readonly refuses?: number | undefined
}

/** The port of both protocols. */
export const MAPPING_SERVER_PORT = 5351
const DAY = 86_400
const FIRST_PORT = 1024
const PORTS = 64_512
/** nf_conntrack's udp_timeout_stream. */
const FLOW_LIFETIME: Duration = duration(120_000)
const UNSUPPORTED_VERSION = 1

interface PortMap {
  readonly internal: Endpoint
  readonly port: number
  readonly nonce: string
  readonly expires: Instant
}

/** A flow that came in at a mapped port. */
interface Flow {
  readonly internal: Endpoint
  readonly port: number
  readonly remote: Endpoint
  /** As what the host sees the remote endpoint. */
  readonly shown: Endpoint
  until: Instant
}

/** The mappings that hosts behind one router asked for. */
export class MappingServer {
  readonly #options: MappingServerOptions
  readonly #clock: Clock
  readonly #random: Random
  /** By external port; bounded by what the scenario asks for. */
  readonly #maps = new Map<number, PortMap>()
  /** By external port and remote endpoint. */
  readonly #flows = new Map<string, Flow>()
  /** The same by internal endpoint and what that sees. */
  readonly #answered = new Map<string, Flow>()

  constructor(options: MappingServerOptions, clock: Clock, random: Random) {
    this.#options = options
    this.#clock = clock
    this.#random = random
  }

  /** Mappings that are alive. */
  get size(): number {
    return [...this.#maps.values()].filter(({ expires }) => expires > this.#clock.now()).length
  }

  clear(): void {
    this.#maps.clear()
    this.#flows.clear()
    this.#answered.clear()
  }

  /**
   * Where a packet goes that comes in at a port, and whom it says that it is from; undefined: it is not
   * mapped. A host that has a flow with the remote endpoint by another port of the router sees it at
   * another port, as netfilter shows it, since it could not answer both by the same way else.
   * @param leaves the port from which the host reaches the remote endpoint without a mapping
   */
  inbound(
    port: number,
    remote: Endpoint,
    leaves: (internal: Endpoint) => number | undefined,
  ): Pick<Flow, 'internal' | 'shown'> | undefined {
    const map = this.#live(port)
    if (map === undefined) return undefined
    const { internal } = map
    const now = this.#clock.now()
    const key = `${port} ${formatEndpoint(remote)}`
    let known = this.#flows.get(key)
    if (known === undefined || known.until <= now || !sameEndpoint(known.internal, internal)) {
      const other = leaves(internal)
      const shown =
        other === undefined || other === port ? remote : { ip: remote.ip, port: this.#otherPort(internal, remote) }
      known = { internal, port, remote, shown, until: now }
      this.#flows.set(key, known)
      this.#answered.set(flow(internal, shown), known)
    }
    known.until = later(now, FLOW_LIFETIME)
    return known
  }

  /** Which port an answer to such a packet leaves from, and where to. */
  outbound(internal: Endpoint, shown: Endpoint): Pick<Flow, 'port' | 'remote'> | undefined {
    const known = this.#answered.get(flow(internal, shown))
    return known !== undefined && known.until > this.#clock.now() ? known : undefined
  }

  /** By UPnP. @param external the router's own outside address */
  upnp({ local, internalPort, suggested, lifetime }: MappingRequest, external: string | undefined): UpnpAnswer {
    const { speaks, refuses, claims = external } = this.#options
    if (!speaks.includes('UPnP') || claims === undefined) return { type: 'silent' }
    if (refuses !== undefined) return { type: 'refused', code: refuses }
    const granted = this.#map({ ip: local, port: internalPort }, '', suggested.port, lifetime)
    if (lifetime === 0) return { type: 'removed' }
    return { type: 'granted', external: { ip: claims, port: granted.port }, lifetime: granted.lifetime }
  }

  /** @param external the router's own outside address. @returns the answer, if there is one */
  answer({ source, bytes }: Packet, external: string): Uint8Array | undefined {
    const { speaks } = this.#options
    const version = bytes[0] === 2 ? 'PCP' : 'NAT-PMP'
    if (speaks.includes(version))
      return version === 'PCP' ? this.#pcp(source, bytes, external) : this.#natPmp(source, bytes, external)
    // RFC 6886 §3.5; RFC 6887 §9.
    if (version === 'PCP' && speaks.includes('NAT-PMP'))
      return Uint8Array.of(0, 0x80 | (bytes[1] ?? 0), 0, UNSUPPORTED_VERSION, 0, 0, 0, 0)
    return undefined
  }

  #pcp(source: Endpoint, bytes: Uint8Array, external: string): Uint8Array {
    const answer = bytes.slice()
    const [asked, view] = [new DataView(bytes.buffer, bytes.byteOffset, bytes.length), new DataView(answer.buffer)]
    const internal = { ip: source.ip, port: asked.getUint16(40) }
    const nonce = bytes.subarray(24, 36).join()
    const granted = this.#map(internal, nonce, asked.getUint16(42), asked.getUint32(4))
    answer[1] = 0x81
    answer.fill(0, 2, 24)
    answer[3] = this.#options.refuses ?? 0
    view.setUint32(4, granted.lifetime)
    view.setUint32(8, this.#clock.now() / 1000)
    view.setUint16(42, granted.port)
    answer.fill(0, 44, 54)
    answer.fill(0xff, 54, 56)
    answer.set(parseIp(this.#options.claims ?? external) ?? [], 56)
    return answer
  }

  #natPmp(source: Endpoint, bytes: Uint8Array, external: string): Uint8Array {
    const mapping = bytes[1] === 1
    const answer = new Uint8Array(mapping ? 16 : 12)
    const view = new DataView(answer.buffer)
    answer[1] = 0x80 | (bytes[1] ?? 0)
    answer[3] = this.#options.refuses ?? 0
    view.setUint32(4, this.#clock.now() / 1000)
    if (mapping) {
      const asked = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
      const internal = { ip: source.ip, port: asked.getUint16(4) }
      const granted = this.#map(internal, '', asked.getUint16(6), asked.getUint32(8))
      view.setUint16(8, internal.port)
      view.setUint16(10, granted.port)
      view.setUint32(12, granted.lifetime)
    } else answer.set(parseIp(this.#options.claims ?? external) ?? [], 8)
    return answer
  }

  #map(internal: Endpoint, nonce: string, wanted: number, asked: number): { port: number; lifetime: number } {
    if (this.#options.refuses !== undefined) return { port: 0, lifetime: 0 }
    const known = [...this.#maps.values()].find((map) => sameEndpoint(map.internal, internal))
    const lifetime = Math.min(asked, this.#options.lifetime ?? DAY)
    // RFC 6887 §11.3: whoever does not know the nonce changes nothing.
    if (known !== undefined && known.nonce !== nonce) return { port: known.port, lifetime: 0 }
    if (known !== undefined) this.#maps.delete(known.port)
    if (lifetime === 0) return { port: 0, lifetime }
    const port = known?.port ?? this.#free(wanted)
    this.#maps.set(port, { internal, port, nonce, expires: later(this.#clock.now(), duration(lifetime * 1000)) })
    return { port, lifetime }
  }

  #free(wanted: number): number {
    let port = wanted === 0 ? FIRST_PORT : wanted
    while (this.#live(port) !== undefined) port = FIRST_PORT + Math.floor(this.#random.uniform() * PORTS)
    return port
  }

  /** A port of the remote host that this one does not see yet. */
  #otherPort(internal: Endpoint, { ip, port }: Endpoint): number {
    let other = port
    do other = FIRST_PORT + Math.floor(this.#random.uniform() * PORTS)
    while (other === port || this.#answered.has(flow(internal, { ip, port: other })))
    return other
  }

  #live(port: number): PortMap | undefined {
    const map = this.#maps.get(port)
    return map !== undefined && map.expires > this.#clock.now() ? map : undefined
  }
}

const flow = (internal: Endpoint, remote: Endpoint): string => `${formatEndpoint(internal)} ${formatEndpoint(remote)}`
