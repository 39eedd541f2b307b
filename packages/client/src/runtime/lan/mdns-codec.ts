/**
 * DNS messages of LAN discovery (docs/protocol.md), by dns-packet, the codec of multicast-dns. That
 * library's sockets are not used: they would read all that the network says, and join its groups on
 * the bridges of containers too.
 */
import { canonicalIp, ipFamily } from '@showchain/wire'
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode } from 'dns-packet'
import { LAN_SERVICE, type LanAnswer, type LanCodec, type LanMessage, MAX_LAN_ADDRESSES } from '../../core/lan/mdns.ts'
import { plain } from '../dgram-socket.ts'

/** Seconds, of records that have a host's name (RFC 6762 §10). */
const TTL = 120
/** Questions or records of a message that are looked at. */
const MAX_ENTRIES = 16

const suffix = `.${LAN_SERVICE}`
/** Names are compared without case (RFC 1035 §2.3.3). */
const INSTANCE = /^[0-9a-f]{16}$/
const instanceIn = (name: string): readonly string[] => {
  const lower = name.toLowerCase()
  const label = lower.slice(0, -suffix.length)
  return lower.endsWith(suffix) && INSTANCE.test(label) ? [label] : []
}

export const mdnsCodec: LanCodec = {
  query: (instance) =>
    plain(
      encode({ type: 'query', id: 0, flags: 0, questions: [{ type: 'SRV', class: 'IN', name: instance + suffix }] }),
    ),

  answer({ instance, port, ips }) {
    const target = `${instance}.local`
    const common = { ttl: TTL, class: 'IN', flush: true } as const
    return plain(
      encode({
        ...{ type: 'response', id: 0, flags: AUTHORITATIVE_ANSWER },
        answers: [{ ...common, type: 'SRV', name: instance + suffix, data: { port, target, priority: 0, weight: 0 } }],
        additionals: ips
          .slice(0, MAX_LAN_ADDRESSES)
          .map((data) => ({ ...common, type: ipFamily(data) === 6 ? 'AAAA' : 'A', name: target, data }) as const),
      }),
    )
  },

  read(bytes) {
    try {
      const {
        type,
        questions = [],
        answers = [],
        additionals = [],
      } = decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
      const asked = questions
        .slice(0, MAX_ENTRIES)
        .flatMap(({ type, name }) => (type === 'SRV' ? instanceIn(name) : []))
      if (type === 'query') return { asked, answers: [] }
      return { asked: [], answers: answersOf([...answers, ...additionals].slice(0, MAX_ENTRIES)) }
    } catch {
      return undefined
    }
  },
}

function answersOf(records: readonly Answer[]): LanMessage['answers'] {
  return records.flatMap((record): readonly LanAnswer[] => {
    const [instance] = record.type === 'SRV' ? instanceIn(record.name) : []
    if (record.type !== 'SRV' || instance === undefined) return []
    const { port, target } = record.data
    const ips = records.flatMap((other) =>
      (other.type === 'A' || other.type === 'AAAA') && other.name.toLowerCase() === target.toLowerCase()
        ? (canonicalIp(other.data) ?? [])
        : [],
    )
    return port === 0 ? [] : [{ instance, port, ips: ips.slice(0, MAX_LAN_ADDRESSES) }]
  })
}
