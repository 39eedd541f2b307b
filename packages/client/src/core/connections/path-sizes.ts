/** What sizes of records a path is tried with (docs/protocol.md, Paths). */
import { MAX_DATAGRAM, MAX_PROBED_DATAGRAM, MAX_RECORD_DATAGRAM, PROBED_DATAGRAMS } from '@showchain/wire'
import { CHANNEL_HEADER_BYTES } from '@showchain/wire/end-to-end'
import type { PathTraits } from '../transport/recovery/path-traits.ts'

/** What leaves directly, from a socket that may send fragments. */
export const DIRECT: PathTraits = { base: MAX_DATAGRAM, larger: PROBED_DATAGRAMS, acks: 'prompt' }
/** The relay, which forwards no more, may send fragments. */
export const CHANNEL: PathTraits = {
  base: MAX_DATAGRAM - CHANNEL_HEADER_BYTES,
  larger: PROBED_DATAGRAMS.map((size) => size - CHANNEL_HEADER_BYTES),
  acks: 'prompt',
}

/**
 * @param unfragmented bytes of the largest datagram that the link takes, where none is sent in
 *   fragments; undefined: it may be. A forged ICMP message can make it smaller than it is, but
 *   nothing is tried less than without it. Asked once the path is confirmed: the system takes as long
 *   to answer as to send several records.
 */
export function directTraits(unfragmented: () => number | undefined): PathTraits {
  let known: PathTraits | undefined
  const ask = (): PathTraits => {
    known ??= sizesOf(unfragmented())
    return known
  }
  return {
    ...DIRECT,
    get larger() {
      return ask().larger
    },
    get search() {
      return ask().search
    },
  }
}

function sizesOf(unfragmented: number | undefined): PathTraits {
  if (unfragmented === undefined) return DIRECT
  const most = Math.min(Math.max(unfragmented, MAX_PROBED_DATAGRAM), MAX_RECORD_DATAGRAM)
  return { ...DIRECT, larger: [most, ...PROBED_DATAGRAMS.filter((size) => size < most)], search: true }
}
