/**
 * IPv4 addresses on a host of IPv6 alone: where its network has a NAT64 (RFC 6146), the prefix of that
 * is looked up (RFC 7050), and an IPv4 address is written into it (RFC 6052). A host with IPv4 asks
 * nobody.
 */
import { type Address, type Endpoint, formatIp, ipFamily, parseIp } from '@showchain/wire'

/** RFC 7050 §2.2: it has these IPv4 addresses and none of IPv6; a DNS64 writes them into its prefix. */
const NAME: Address = { host: 'ipv4only.arpa', port: 1 }
const WELL_KNOWN: readonly string[] = ['192.0.0.170', '192.0.0.171']

/** RFC 6052 §2.2: where the four bytes are, by the length of the prefix in bits; byte 8 is zero. */
const PLACES: readonly (readonly number[])[] = [
  [12, 13, 14, 15],
  [9, 10, 11, 12],
  [7, 9, 10, 11],
  [6, 7, 9, 10],
  [5, 6, 7, 9],
  [4, 5, 6, 7],
]

interface Prefix {
  /** An address in it, with the bytes of an IPv4 address in these places. */
  readonly bytes: Uint8Array
  readonly places: readonly number[]
}

export interface Nat64Options {
  resolve(address: Address): Promise<readonly Endpoint[]>
  /** IP addresses of this host. */
  localAddresses(): readonly string[]
}

export class Nat64 {
  readonly #options: Nat64Options
  #prefix: Prefix | undefined
  /** What this host's addresses were when the prefix was looked up last. */
  #network: string | undefined
  #asking: Promise<void> | undefined

  constructor(options: Nat64Options) {
    this.#options = options
  }

  /** Whether this host has IPv6 alone. */
  get applies(): boolean {
    const own = this.#options.localAddresses()
    return own.length > 0 && own.every((ip) => ipFamily(ip) === 6)
  }

  /** Looks the prefix up, once in each network that has one; never rejects. */
  find(): Promise<void> {
    const network = this.#options.localAddresses().join(' ')
    if (this.#network === network) return Promise.resolve()
    this.#asking ??= this.#look(network).finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  /** Where this host reaches an IPv4 endpoint; undefined: nowhere, as far as it knows. */
  synthesised({ ip, port }: Endpoint): Endpoint | undefined {
    const four = parseIp(ip)
    const prefix = this.applies ? this.#prefix : undefined
    if (prefix === undefined || four?.length !== 4) return undefined
    const bytes = prefix.bytes.slice()
    for (const [index, place] of prefix.places.entries()) bytes[place] = four[index] ?? 0
    return { ip: formatIp(bytes, 0, bytes.length), port }
  }

  /** The IPv4 endpoint that is meant by one with this prefix: the address policy is about that one. */
  meant({ ip, port }: Endpoint): Endpoint | undefined {
    const bytes = parseIp(ip)
    const prefix = this.applies ? this.#prefix : undefined
    if (prefix === undefined || bytes?.length !== prefix.bytes.length) return undefined
    const four = prefix.places.map((place) => bytes[place] ?? 0).join('.')
    const same = this.synthesised({ ip: four, port })
    return same?.ip === ip ? { ip: four, port } : undefined
  }

  async #look(network: string): Promise<void> {
    const found = await this.#options.resolve(NAME).catch(() => [])
    this.#prefix = found.map(({ ip }) => prefixOf(ip)).find((prefix) => prefix !== undefined)
    // Where there is none, the next look asks again: a resolver may only have been slow.
    this.#network = this.#prefix && network
  }
}

function prefixOf(ip: string): Prefix | undefined {
  const bytes = parseIp(ip)
  if (bytes?.length !== 16) return undefined
  const places = PLACES.find((each) => WELL_KNOWN.includes(each.map((place) => bytes[place]).join('.')))
  return places && { bytes, places }
}
