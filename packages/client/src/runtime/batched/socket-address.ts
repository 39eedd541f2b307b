/**
 * sockaddr_in and sockaddr_in6 as bytes. Endpoints of packets repeat, so both directions are looked
 * up: parsing an address costs more than a system call has for each packet of a train.
 */
import { canonicalIp, type Endpoint, ipFamily } from '@showchain/wire'
import { AF_INET, AF_INET6 } from './libc.ts'

export const ADDRESS_BYTES = { 4: 16, 6: 28 } as const
/** Room for either. */
export const ADDRESS_ROOM = 28
/** Endpoints that are kept. Then all are forgotten at once: they come back by use. */
const MAX_KNOWN = 4096

const [PORT_AT, IPV4_AT, IPV6_AT, SCOPE_AT] = [2, 4, 8, 24]

/** The address of a socket to the kernel. */
export function encodeAddress({ ip, port }: Endpoint): Uint8Array {
  const family = ipFamily(ip)
  const bytes = Buffer.alloc(ADDRESS_BYTES[family ?? 4])
  bytes.writeUInt16LE(family === 6 ? AF_INET6 : AF_INET)
  bytes.writeUInt16BE(port, PORT_AT)
  if (family === 6) for (const [index, group] of groupsOf(ip).entries()) bytes.writeUInt16BE(group, IPV6_AT + 2 * index)
  else for (const [index, part] of ip.split('.').entries()) bytes[IPV4_AT + index] = Number(part)
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

/** What a kernel's address says; undefined: a link-local address, which means nothing without its zone. */
export function decodeAddress(bytes: Uint8Array): Endpoint | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const port = view.readUInt16BE(PORT_AT)
  if (view.readUInt16LE() === AF_INET) return { ip: view.subarray(IPV4_AT, IPV4_AT + 4).join('.'), port }
  if (view.readUInt32LE(SCOPE_AT) !== 0) return undefined
  const groups = Array.from({ length: 8 }, (_, index) => view.readUInt16BE(IPV6_AT + 2 * index).toString(16))
  const ip = canonicalIp(groups.join(':'))
  return ip === undefined ? undefined : { ip, port }
}

/** Endpoints by the bytes of their addresses, and the other way round. */
export class AddressBook {
  readonly #sources = new Map<string, Endpoint | undefined>()
  readonly #destinations = new Map<string, Map<number, Uint8Array>>()
  #destinationCount = 0
  /** Most packets come from where the one before came from. */
  readonly #last = new Uint8Array(ADDRESS_ROOM)
  #lastSource: Endpoint | undefined

  /** @param bytes an address in a buffer that is written again */
  source(bytes: Uint8Array): Endpoint | undefined {
    if (this.#lastSource !== undefined && isSame(this.#last, bytes)) return this.#lastSource
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
    let source = this.#sources.get(key)
    if (source === undefined && !this.#sources.has(key)) {
      if (this.#sources.size >= MAX_KNOWN) this.#sources.clear()
      source = decodeAddress(bytes)
      this.#sources.set(key, source)
    }
    this.#last.fill(0)
    this.#last.set(bytes)
    this.#lastSource = source
    return source
  }

  /** The same bytes for the same endpoint, as long as it is kept. */
  destination(to: Endpoint): Uint8Array {
    let ports = this.#destinations.get(to.ip)
    const known = ports?.get(to.port)
    if (known !== undefined) return known
    if (this.#destinationCount >= MAX_KNOWN) {
      this.#destinations.clear()
      this.#destinationCount = 0
      ports = undefined
    }
    const bytes = encodeAddress(to)
    if (ports === undefined) this.#destinations.set(to.ip, new Map([[to.port, bytes]]))
    else ports.set(to.port, bytes)
    this.#destinationCount++
    return bytes
  }
}

function isSame(last: Uint8Array, bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) if (last[index] !== bytes[index]) return false
  return true
}
