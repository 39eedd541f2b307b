/** The sizes of the wire: each number once, with its source. Times belong to the machines that keep them. */

/** Largest UDP payload on a path that has not proven more (docs/protocol.md, Datagrams). */
export const MAX_DATAGRAM = 1200
const IPV6_UDP_HEADERS: number = 40 + 8
/** Largest UDP payload that is tried on a path, for records alone: an IP packet of Ethernet's 1500 bytes. */
export const MAX_PROBED_DATAGRAM: number = 1500 - IPV6_UDP_HEADERS
/** What is tried, the largest first: then 1400 bytes, which nearly all tunnels take, and the least that IPv6 asks of a link (RFC 8200 §5). */
export const PROBED_DATAGRAMS: readonly number[] = [
  MAX_PROBED_DATAGRAM,
  1400 - IPV6_UDP_HEADERS,
  1280 - IPV6_UDP_HEADERS,
]
/** SHA-256 of the public key (docs/protocol.md, Identity). */
export const PEER_ID_BYTES = 32
/** docs/protocol.md, Field kinds. */
export const SESSION_ID_BYTES = 16
/** An RSA-4096 SubjectPublicKeyInfo is 550 bytes; the import policy allows up to this many. */
export const MAX_KEY_BYTES = 600
/** A cookie is opaque to everyone but its issuer (docs/protocol.md, Extension fields). */
export const MAX_COOKIE_BYTES = 64
/** RSA modulus lengths that may sign, in bytes: 2048, 3072 and 4096 bits. */
export const SIGNATURE_BYTES: readonly number[] = [256, 384, 512]
/** Host candidates in one `local` extension. */
export const MAX_LOCAL_CANDIDATES = 4
/** X25519 public key (RFC 7748 §5). */
export const KX_BYTES = 32
/** Largest u16: op codes, ports, lengths. */
export const MAX_U16 = 0xffff
/** `seq` and `ts` stay exact in JSON numbers everywhere: 2^53 − 1. */
export const MAX_COUNTER = Number.MAX_SAFE_INTEGER
/** A ticket is pasted by hand; eight relays and eight addresses with the longest host names take 4,653 characters. */
export const MAX_TICKET_LENGTH = 4700
/** Ways to reach a peer that one ticket may name, of each sort. */
export const MAX_TICKET_ROUTES = 8
