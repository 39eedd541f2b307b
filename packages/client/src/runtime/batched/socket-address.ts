/**
 * sockaddr_in and sockaddr_in6 as bytes. Endpoints of packets repeat, so both directions are looked
 * up: parsing an address costs more than a system call has for each packet of a train.
 */
import { canonicalIp, type Endpoint, formatIp, ipFamily } from '@showchain/wire'
import type { Route } from '../../core/endpoint/machine.ts'
import { scopeOf, socketOnLink } from '../../core/endpoint/route.ts'
import { AF_INET, AF_INET6 } from './libc.ts'

export const ADDRESS_BYTES = { 4: 16, 6: 28 } as const
/** Room for either. */
export const ADDRESS_ROOM = 28
/** Destinations that are kept. Then all are forgotten at once: they come back by use. */
const MAX_KNOWN = 4096

const [PORT_AT, IPV4_AT, IPV6_AT, SCOPE_AT] = [2, 4, 8, 24]

/** The address of a socket to the kernel. */
export function encodeAddress(route: Route): Uint8Array {
  const { ip, port } = route
  const family = ipFamily(ip)
  const bytes = Buffer.alloc(ADDRESS_BYTES[family ?? 4])
  bytes.writeUInt16LE(family === 6 ? AF_INET6 : AF_INET)
  bytes.writeUInt16BE(port, PORT_AT)
  if (family === 6) {
    for (const [index, group] of groupsOf(ip).entries()) bytes.writeUInt16BE(group, IPV6_AT + 2 * index)
    bytes.writeUInt32LE(scopeOf(route), SCOPE_AT)
  } else for (const [index, part] of ip.split('.').entries()) bytes[IPV4_AT + index] = Number(part)
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** The eight groups of an IPv6 address in its canonical form (RFC 5952). */
function groupsOf(ip: string): readonly number[] {
  const [head = [], tail] = ip.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const known = head.length + (tail?.length ?? 0)
  return [...head, ...new Array<string>(8 - known).fill('0'), ...(tail ?? [])].map((group) =>
    Number.parseInt(group, 16),
  )
}

/** What a kernel's address says. */
export function decodeAddress(bytes: Uint8Array): Route | undefined {
  const port = ((bytes[PORT_AT] as number) << 8) | (bytes[PORT_AT + 1] as number)
  // The family in the order of this machine's bytes, which is little-endian (`loadLibc`).
  if (bytes[0] === AF_INET && bytes[1] === 0) return { ip: formatIp(bytes, IPV4_AT, 4), port }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const scope = view.getUint32(SCOPE_AT, true)
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(IPV6_AT + 2 * index).toString(16))
  const ip = canonicalIp(groups.join(':'))
  if (ip === undefined) return undefined
  return scope === 0 ? { ip, port } : { ip, port, socket: socketOnLink(scope) }
}

/** An address to send to. What is the same place is the same object, as long as it is kept. */
export class Destination {
  /** As the kernel reads it. */
  readonly bytes: Uint8Array
  /** Of the ring that sends: the flush in which it was met last, and what it met of it. */
  flush = 0
  last = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** What a kernel's address says, with the address: who answers there needs no look-up. */
class KnownEndpoint implements Route {
  readonly ip: string
  readonly port: number
  readonly socket: Route['socket']
  readonly #destination: Destination

  constructor({ ip, port, socket }: Route, address: Uint8Array) {
    this.ip = ip
    this.port = port
    this.socket = socket
    this.#destination = new Destination(address)
  }

  static destinationOf(endpoint: Endpoint): Destination | undefined {
    return #destination in endpoint ? endpoint.#destination : undefined
  }
}

/** Integers of an address, and one that says how many they are. */
const WORDS = ADDRESS_ROOM / 4
const PLACE_WORDS = WORDS + 1
const FIRST_PLACES = 1024
const MAX_PLACES = 65_536
/** What grows leaves garbage behind: in few steps it is little. */
const GROWTH = 4

/**
 * Endpoints by the integers of their addresses. Each address has one place, which it takes from
 * another one; when that happens often there are more places, and the endpoints come back by use.
 */
export class SourceBook {
  #words = new Int32Array(FIRST_PLACES * PLACE_WORDS)
  #endpoints = unknown(FIRST_PLACES)
  #places = FIRST_PLACES
  #taken = 0

  /** @param count integers from `at` on: the address in a buffer that is written again */
  source(words: Int32Array, at: number, count: number): Route | undefined {
    const place = this.#placeOf(words, at, count)
    const again = this.#isAt(place, words, at, count)
    const known = again ? this.#endpoints[place] : undefined
    if (known !== undefined) return known
    const address = bytesOf(words, at, count)
    const decoded = decodeAddress(address)
    const endpoint = decoded && new KnownEndpoint(decoded, address)
    if (again) this.#endpoints[place] = endpoint
    else this.#take(place, words, at, count)
    return endpoint
  }

  /** Until it comes again the endpoint is not kept: forged addresses do not, and there is no end of them. */
  #take(place: number, words: Int32Array, at: number, count: number): void {
    const from = place * PLACE_WORDS
    if (this.#words[from + WORDS] !== 0 && ++this.#taken > this.#places / 4 && this.#places < MAX_PLACES)
      return this.#grow()
    for (let index = 0; index < count; index++) this.#words[from + index] = words[at + index] as number
    this.#words[from + WORDS] = count
    this.#endpoints[place] = undefined
  }

  #isAt(place: number, words: Int32Array, at: number, count: number): boolean {
    const from = place * PLACE_WORDS
    if (this.#words[from + WORDS] !== count) return false
    for (let index = 0; index < count; index++) if (this.#words[from + index] !== words[at + index]) return false
    return true
  }

  /** Multiplicative hashing (Knuth, TAOCP 6.4), the mixed upper bits brought down each time. */
  #placeOf(words: Int32Array, at: number, count: number): number {
    let hash = 0
    for (let index = 0; index < count; index++) {
      hash = Math.imul(hash ^ (words[at + index] as number), 0x9e37_79b1)
      hash ^= hash >>> 16
    }
    return hash & (this.#places - 1)
  }

  #grow(): void {
    this.#places *= GROWTH
    this.#words = new Int32Array(this.#places * PLACE_WORDS)
    this.#endpoints = unknown(this.#places)
    this.#taken = 0
  }
}

/** In the order in which they come, places would make an array of holes a dictionary. */
const unknown = (places: number): (Route | undefined)[] => new Array<Route | undefined>(places).fill(undefined)

/**
 * The integers' bytes. So small an array lies in the heap as long as nobody asks for its buffer: what lies
 * outside costs the collector of garbage more than the rest of a forged address.
 */
function bytesOf(words: Int32Array, at: number, count: number): Uint8Array {
  const bytes = new Uint8Array(4 * count)
  for (let index = 0; index < bytes.length; index++)
    bytes[index] = ((words[at + (index >> 2)] as number) >>> (8 * (index & 3))) & 0xff
  return bytes
}

/** Addresses of endpoints. */
export class DestinationBook {
  readonly #destinations = new Map<string, Map<number, Destination>>()
  #count = 0
  /** What was asked for last: trains are of one endpoint. */
  #latest: { readonly to: Route; readonly destination: Destination } | undefined

  destination(to: Route): Destination {
    if (this.#latest?.to === to) return this.#latest.destination
    const destination = this.#find(to)
    this.#latest = { to, destination }
    return destination
  }

  #find(to: Route): Destination {
    const own = KnownEndpoint.destinationOf(to)
    if (own !== undefined) return own
    const scope = scopeOf(to)
    const place = scope === 0 ? to.ip : `${to.ip}%${scope}`
    let ports = this.#destinations.get(place)
    const known = ports?.get(to.port)
    if (known !== undefined) return known
    if (this.#count >= MAX_KNOWN) {
      this.#destinations.clear()
      this.#count = 0
      ports = undefined
    }
    const destination = new Destination(encodeAddress(to))
    if (ports === undefined) this.#destinations.set(place, new Map([[to.port, destination]]))
    else ports.set(to.port, destination)
    this.#count++
    return destination
  }
}
