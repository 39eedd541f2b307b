/**
 * What two peers announce while a relay introduces them (0x111–0x115): capabilities, NAT behaviour,
 * host candidates; and which of the remote peer's candidates may be probed.
 */
import {
  CAPS,
  type Endpoint,
  type Extensions,
  ipFamily,
  isConcealed,
  MAX_COUNTER,
  MAX_FURTHER_ADDRESSES,
  MAX_U16,
  type Nat,
  OP,
  type PeerId,
  SESSION_ID_BYTES,
  sameEndpoint,
  sessionIdFromBytes,
} from '@showchain/wire'
import type { PeerContext } from '../context/peer-context.ts'
import type { Instant } from '../endpoint/machine.ts'
import { signedLength } from '../endpoint/signed-messages.ts'
import { natBehaviour, type View } from '../nat/nat-behaviour.ts'
import type { Registration } from '../relays/registration.ts'
import { birthdayRole } from './birthday-probing.ts'
import { MAX_UNSEEN_PROBES } from './limits.ts'
import type { PunchAttempt } from './punch-attempt.ts'
import type { PunchAttempts } from './punch-attempts.ts'

/** Every registration of the peer: at most the relays of its configuration and its tickets. */
export type Registrations = ReadonlyMap<string, Registration>

/**
 * The extension fields of a 0x111 or 0x114, or none in seed mode.
 * @param signed whether signed fields may stand in it.
 * @param relay the address of the one that introduces it, which sees the one of its IP family
 * @param concealed whether they say nothing of where this peer is, and the relay is to do so too
 */
export function introduction(
  context: PeerContext,
  registrations: Registrations,
  signed: boolean,
  relay: Endpoint | undefined,
  concealed = false,
): { ext?: Extensions } {
  if (context.seedMode) return {}
  if (concealed) return { ext: { key: context.spki, caps: CAPS.concealed } }
  const local = context.hostCandidates()
  const nat = ownNat(context, registrations)
  const also = signed && relay !== undefined ? furtherAddresses(context, registrations, ipFamily(relay.ip)) : []
  return {
    ext: {
      key: context.spki,
      ...(local.length === 0 ? {} : { local }),
      ...(signed ? { caps: CAPS.directData | (context.carriers.withoutUdp ? CAPS.withoutUdp : 0) } : {}),
      ...(signed && nat !== undefined ? { nat } : {}),
      ...(also.length === 0 ? {} : { also }),
    },
  }
}

/**
 * Where a router maps this peer's port, and its addresses of another IP family than this, as its relays
 * see them over UDP.
 */
function furtherAddresses(context: PeerContext, registrations: Registrations, family: 4 | 6): readonly Endpoint[] {
  const seen = [...registrations.values()].flatMap(({ reach: { otherFamily }, observed, registered, route }) => [
    ...(otherFamily.address === undefined ? [] : [otherFamily.address]),
    ...(observed !== undefined && registered && route.over === 'udp' ? [observed] : []),
  ])
  return [...context.mappedAddresses(), ...seen.filter(({ ip }) => ipFamily(ip) !== family)]
    .filter((address, index, all) => all.findIndex((each) => sameEndpoint(each, address)) === index)
    .slice(0, MAX_FURTHER_ADDRESSES)
}

/** An address whose text is as long as one can be. */
const LONGEST_IP = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'

/**
 * Whether a relay can pass these fields on in a 0x112, which is longer than a 0x115.
 * @param bytes of a hello beside them; undefined: there is none
 * @param acquainted whether the other end has this one's key, so that the relay need not add it
 */
export function hasRoom(
  { self, signatureLength, encoding }: PeerContext,
  target: PeerId,
  { key, ...ext }: Extensions,
  bytes: number | undefined,
  acquainted: boolean,
): boolean {
  const stamp = { seq: MAX_COUNTER, ts: MAX_COUNTER, session: sessionIdFromBytes(new Uint8Array(SESSION_ID_BYTES)) }
  const source = { ip: LONGEST_IP, port: MAX_U16 }
  const hello = bytes === undefined ? undefined : new Uint8Array(bytes)
  const fields = { ...ext, hello, ...(acquainted ? {} : { key }) }
  const message = { op_code: OP.punchPassRequest, target, id: self, ...stamp, ...source, ext: fields } as const
  return signedLength(message, signatureLength, encoding) !== undefined
}

/**
 * The fields, with a hello if there is one and room for it. Further addresses are left out where it, or
 * the key that the other end needs, would have none.
 * @param bytes of the hello; undefined: there is none
 * @param hello asked for when there is room
 */
export function withHello(
  context: PeerContext,
  target: PeerId,
  ext: Extensions,
  acquainted: boolean,
  bytes: number | undefined,
  hello: () => Uint8Array | undefined,
): Extensions {
  const { also: _also, ...without } = ext
  const fitting = (length: number | undefined): Extensions | undefined =>
    [ext, without].find((fields) => hasRoom(context, target, fields, length, acquainted))
  const beside = bytes === undefined ? undefined : fitting(bytes)
  const value = beside && hello()
  return value === undefined ? (fitting(undefined) ?? ext) : { ...beside, hello: value }
}

/**
 * Why the ends of an introduction need not look for each other, as text; undefined: they do.
 * @param ext of the other end
 */
export function needless({ carriers }: PeerContext, ext: Extensions | undefined): string | undefined {
  if (carriers.withoutUdp) return 'this network lets no UDP through'
  if (isConcealed(ext)) return 'the remote peer shows nobody its address'
  return ((ext?.caps ?? 0) & CAPS.withoutUdp) === 0 ? undefined : 'the remote peer has no UDP'
}

/** What the other end's 0x112 or 0x115 announced of it. */
export interface Announced {
  readonly ip: string
  readonly port: number
  readonly ext?: Extensions | undefined
}

/**
 * Probes an announced address, its host candidates, and what the remote peer says of itself beside
 * (`also`), as far as the address policy allows and this host reaches the IP family. Where that leaves
 * nothing, the attempt waits for probes of the remote peer.
 */
export function probeAll(
  context: PeerContext,
  attempts: PunchAttempts,
  attempt: PunchAttempt,
  { ip, port, ext }: Announced,
  registration: Registration,
  registrations: Registrations,
  now: Instant,
): void {
  const announced = { ip, port }
  const shares = registration.observed?.ip === ip
  const refused = (endpoint: Endpoint, shared: boolean): boolean => {
    const allowed = context.allows(endpoint, shared)
    if (!allowed) context.count('addressRefused')
    return !allowed
  }
  const candidates = [announced, ...(shares ? (ext?.local ?? []) : [])].filter((each) => !refused(each, shares))
  const families = new Set(context.hostCandidates().map((own) => ipFamily(own.ip)))
  const { reached } = context
  const reaches = (endpoint: Endpoint): boolean => families.has(ipFamily(reached(endpoint).ip))
  const further = (ext?.also ?? []).filter((each) => reaches(each) && !refused(each, false))
  const first = (endpoint: Endpoint): boolean => ipFamily(endpoint.ip) === 6
  for (const each of further.filter(first)) attempt.probe(reached(each), now, MAX_UNSEEN_PROBES)
  for (const each of candidates) attempt.probe(each === announced ? reached(each) : each, now)
  for (const each of further.filter((other) => !first(other))) attempt.probe(reached(each), now, MAX_UNSEEN_PROBES)
  // Of IPv4 alone a NAT may depend on the destination; and only the relay's word is worth so many probes.
  const byFour = [announced, registration.observed ?? announced].every((each) => ipFamily(each.ip) === 4)
  const role = shares || !byFour ? undefined : birthdayRole(ownNat(context, registrations), ext?.nat)
  if (role !== undefined && candidates.includes(announced)) attempts.birthday(attempt, role, reached(announced))
}

/** From discovery or, until that is done, from what several relays observed. */
const ownNat = (context: PeerContext, registrations: Registrations): Nat | undefined =>
  context.nat.known ?? natBehaviour(viewsOf(registrations.values()))

/** What each relay that is reached over UDP saw of this peer's address. */
export const viewsOf = (registrations: Iterable<Registration>): readonly View[] =>
  [...registrations].flatMap(({ observed, relay, route }) =>
    observed === undefined || route.over !== 'udp' ? [] : [{ from: relay.endpoint, observed }],
  )
