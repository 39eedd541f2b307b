/**
 * The sizes of the wire format, each with its source. Times are constants of the machines that use
 * them.
 */

/** Largest UDP payload, unless path MTU discovery found more (docs/protocol.md, Datagrams). */
export const MAX_DATAGRAM = 1200
/** What a UDP payload is wrapped in, by IP family: without IP options, and UDP. */
export const UDP_HEADERS: Readonly<Record<4 | 6, number>> = { 4: 20 + 8, 6: 40 + 8 }
/** Largest UDP payload that a relay forwards, and that every receiver of records takes. */
export const MAX_PROBED_DATAGRAM: number = 1500 - UDP_HEADERS[6]
/** Largest UDP payload with a record on a direct path: an IPv6 packet of 9000 bytes (jumbo frames). */
export const MAX_RECORD_DATAGRAM: number = 9000 - UDP_HEADERS[6]
/**
 * Probed UDP payloads, the largest first: IP packets of 1500 bytes, of 1400 (most tunnels), and of
 * 1280, the minimum MTU of IPv6 (RFC 8200 §5).
 */
export const PROBED_DATAGRAMS: readonly number[] = [MAX_PROBED_DATAGRAM, 1400 - UDP_HEADERS[6], 1280 - UDP_HEADERS[6]]
/** SHA-256 of the public key (docs/protocol.md, Identity). */
export const PEER_ID_BYTES = 32
/** docs/protocol.md, Field kinds. */
export const SESSION_ID_BYTES = 16
/** An RSA-4096 SubjectPublicKeyInfo is 550 bytes; the import policy allows up to this many. */
export const MAX_KEY_BYTES = 600
/** A cookie is opaque to all but its issuer (docs/protocol.md, Extension fields). */
export const MAX_COOKIE_BYTES = 64
/** RSA modulus lengths that may sign, in bytes: 2048, 3072 and 4096 bits. */
export const SIGNATURE_BYTES: readonly number[] = [256, 384, 512]
/** Host candidates in one `local` extension. */
export const MAX_LOCAL_CANDIDATES = 4
/** X25519 public key (RFC 7748 §5). */
export const KX_BYTES = 32
/** docs/protocol.md, Hello: the shortest is one of kind 1. */
export const MIN_HELLO_BYTES = 42
/** Bytes of the longest `hello` (docs/protocol.md, Extension fields). */
export const MAX_HELLO_BYTES = 1000
/** A token is opaque to all but its issuer (docs/protocol.md, Extension fields). */
export const MAX_TOKEN_BYTES = 64
/** What fits a 0x101 of an RSA-4096 key beside `modulus` and a cookie of 30 bytes. */
export const MAX_PERMIT_BYTES = 52
/** Addresses in one `also` extension. */
export const MAX_FURTHER_ADDRESSES = 4
/** Largest u16: op codes, ports, lengths. */
export const MAX_U16 = 0xffff
/** Largest `seq` and `ts`: exact as a JSON number in every implementation. */
export const MAX_COUNTER = Number.MAX_SAFE_INTEGER
/** Eight relays and eight addresses with the longest host names take 4,765 characters. */
export const MAX_TICKET_LENGTH = 4800
/** Most relays, and most addresses, in one ticket. */
export const MAX_TICKET_ROUTES = 8
