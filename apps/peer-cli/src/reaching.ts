/**
 * Waits for relays and for remote peers that are called. Where none answers, the error says which
 * addresses were asked, and what whoever runs the program can do about it.
 */
import type { DialAttempt, DialPolicy, Peer, RelayEvent } from '@showchain/client'
import { ADDRESS_POLICIES } from '@showchain/client/core'
import { localAddresses, resolveAddress } from '@showchain/client/runtime'
import {
  type Address,
  canonicalIp,
  type Endpoint,
  formatAddress,
  formatEndpoint,
  ipFamily,
  type PeerId,
  ShowchainError,
  type Ticket,
} from '@showchain/wire'
import { addressPolicyOf, type PeerFlags, relaysOf, timeoutOf } from './open-peer.ts'
import type { Session } from './session.ts'
import { explained } from './waits.ts'

const ADVICE =
  'see whether the relay runs, whether a firewall keeps UDP from it, and whether its ticket is still this one; `showchain doctor` looks closer'

/** What registration failures begin with where nothing came back. */
const SILENT = 'no answer'

const relayAddresses = (flags: Pick<PeerFlags, 'relay' | 'from'>): readonly Address[] =>
  relaysOf(flags).flatMap(({ addresses }) => addresses)

/** Until one of `--relay` registers this host, where there are any. @throws ShowchainError */
export async function untilRegistered(
  { peer, output }: Pick<Session, 'peer' | 'output'>,
  flags: Pick<PeerFlags, 'relay' | 'from' | 'timeout' | 'host'>,
): Promise<void> {
  const timeout = timeoutOf(flags)
  const addresses = relayAddresses(flags)
  if (addresses.length === 0) return
  const family = otherFamily(addresses.every(isIp) ? literals(addresses) : [], peer)
  // Nothing comes of waiting. The other way round there may be a NAT64.
  if (family !== undefined && !peer.addresses.some(isIpv6))
    throw new ShowchainError('ERR_CONNECT_FAILED', `The relay at ${listed(addresses)} ${family}.`)
  const reasons: RelayEvent['reason'][] = []
  const off = peer.on('relay', ({ reason }) => reasons.push(reason))
  try {
    await explained(output, 'waiting for a relay to answer', peer.registered({ timeout }))
  } catch (error) {
    const silent = reasons.every((reason) => reason?.startsWith(SILENT))
    const failed = error instanceof ShowchainError && ['ERR_TIMEOUT', 'ERR_CONNECT_FAILED'].includes(error.code)
    // Why another relay does not serve this host is its own advice.
    if (!failed || !silent) throw error
    const at = listed(addresses)
    const lacking = otherFamily(await resolved(addresses), peer)
    const why = lacking === undefined ? `Nothing answers at ${at}: ${ADVICE}.` : `The relay at ${at} ${lacking}.`
    throw new ShowchainError(error.code, why, { cause: error })
  } finally {
    off()
  }
}

export interface Called {
  readonly ticket: Ticket
  /** @default auto */
  readonly via?: DialPolicy | undefined
  readonly flags: PeerFlags
}

/** Until a call is answered. @param waiting what is said when that lasts. @throws ShowchainError */
export async function reached<T>(
  { peer, output }: Pick<Session, 'peer' | 'output'>,
  called: Called,
  work: Promise<T>,
  waiting = 'waiting for the remote peer: no path has answered yet',
): Promise<T> {
  const heard = new Set<PeerId>()
  const off = peer.on('relay', ({ relay, state }) => {
    if (state === 'registered') heard.add(relay)
  })
  try {
    return await explained(output, waiting, work)
  } catch (error) {
    throw await advised(error, called, peer, heard)
  } finally {
    off()
  }
}

const NOT_REACHED: readonly ShowchainError['code'][] = ['ERR_CONNECT_FAILED', 'ERR_NO_PATH', 'ERR_TIMEOUT']

/** A call's error in fewer words, with what can be done; others as they are. @param heard relays that answered */
export async function advised(
  error: unknown,
  { ticket, via = 'auto', flags }: Called,
  peer: Peer,
  heard: ReadonlySet<PeerId> = new Set(),
): Promise<unknown> {
  if (!(error instanceof ShowchainError) || !NOT_REACHED.includes(error.code)) return error
  const { attempts = [] } = (error.cause ?? {}) as { readonly attempts?: readonly DialAttempt[] }
  const direct = via === 'relay-only' || via === 'punch' ? [] : ticket.addresses
  const relays = via === 'direct' ? [] : ticket.relays.map(({ address }) => address)
  const own = new Set(relayAddresses(flags).map(formatAddress))
  const others = [...direct, ...relays].filter((address) => !own.has(formatAddress(address)))
  const family = otherFamily(await resolved([...direct, ...relays]), peer)
  const answering = peer.inspect().relays.flatMap(({ relay, state }) => (state === 'registered' ? [relay] : []))
  const answered = new Set([...answering, ...heard].map((id) => `relay ${id}`))
  const silent = family === undefined ? attempts.filter((each) => isSilent(each) && !answered.has(each.at)) : []
  const advice = [
    ...forbiddenAdvice(others, flags),
    ...(family === undefined ? [] : [`What the ticket names ${family}.`]),
    ...(silent.length === 0
      ? []
      : [`Nothing answers at ${listed(relays)}: the relay may be down, a firewall before it, or the ticket old.`]),
  ]
  const failed = attempts.filter((each) => !silent.includes(each))
  const tried = failed.length === 0 ? [] : [`${inWords(failed, ticket)}.`]
  if (tried.length + advice.length === 0) return error
  return new ShowchainError(error.code, [...tried, ...advice].join(' '), { cause: error.cause })
}

/** Whether nothing came back from its relay. */
const isSilent = ({ via, why }: DialAttempt): boolean =>
  via !== 'direct' && (why?.startsWith(`not registered with it: ${SILENT}`) === true || why === CUT_SHORT)

/** Why a way failed that was not through when the time was up. */
const CUT_SHORT = 'timed out or cancelled'

/** Each reason once, and a relay by its address: what keeps it silent makes all ways through it fail. */
function inWords(attempts: readonly DialAttempt[], { relays }: Ticket): string {
  const ways = new Map<string, string[]>()
  for (const { via, at, why } of attempts) {
    const relay = relays.find(({ id }) => at === `relay ${id}`)
    const text = `by ${relay === undefined ? at : `relay ${formatAddress(relay.address)}`}: ${why}`
    ways.set(text, [...(ways.get(text) ?? []), via])
  }
  return [...ways].map(([text, vias]) => `${vias.join(' and ')} ${text}`).join('; ')
}

/** Addresses that nothing is sent to without a flag. --lab allows what --lan does. */
function forbiddenAdvice(addresses: readonly Address[], flags: PeerFlags): readonly string[] {
  const { [addressPolicyOf(flags)]: given, lan, lab } = ADDRESS_POLICIES
  const forbidden = literals(addresses).filter((each) => !given(each, false) && lab(each, false))
  if (forbidden.length === 0) return []
  const [flag, networks] = forbidden.every((each) => lan(each, false))
    ? ['--lan', 'private networks']
    : ['--lab', 'loopback, private and test networks']
  return [`Without ${flag} nothing is sent to addresses of ${networks}: ${texts(forbidden)}.`]
}

/** Milliseconds for names, each of which was looked up before: a resolver remembers them. */
const LOOKUP = 2000

/** Where addresses lead; nowhere when that is not known of one of them. */
async function resolved(addresses: readonly Address[]): Promise<readonly Endpoint[]> {
  const looking = Promise.all(addresses.map(resolveAddress)).then(
    (found) => found.flat(),
    () => [],
  )
  return Promise.race([looking, new Promise<[]>((resolve) => void setTimeout(resolve, LOOKUP, []).unref())])
}

/** Where all of these are of an IP family that this host does not have. @returns the rest of a sentence */
function otherFamily(asked: readonly Endpoint[], { addresses: sockets }: Pick<Peer, 'addresses'>): string | undefined {
  const needed = new Set(asked.map(({ ip }) => ipFamily(ip)))
  const [family] = needed
  // Without UDP relays are reached by WebSocket.
  if (family === undefined || needed.size > 1 || sockets.length === 0) return undefined
  const other = family === 4 ? 6 : 4
  const bound = new Set(sockets.map(({ ip }) => ipFamily(ip)))
  const local = new Set(localAddresses().map(ipFamily))
  const lacks = !bound.has(family) || (local.has(other) && !local.has(family) && !asked.some(isLoopback))
  if (!lacks) return undefined
  return `has IPv${family} addresses only, and this host uses IPv${other} only: both ends need one family in common, or a relay that has both`
}

const isIp = ({ host }: Address): boolean => canonicalIp(host) !== undefined
const isIpv6 = ({ ip }: Endpoint): boolean => ipFamily(ip) === 6
const isLoopback = ({ ip }: Endpoint): boolean => ip === '::1' || ip.startsWith('127.')

const literals = (addresses: readonly Address[]): readonly Endpoint[] =>
  addresses.flatMap(({ host, port }) => {
    const ip = canonicalIp(host)
    return ip === undefined ? [] : [{ ip, port }]
  })

const texts = (endpoints: readonly Endpoint[]): string => [...new Set(endpoints.map(formatEndpoint))].join(', ')
const listed = (addresses: readonly Address[]): string => [...new Set(addresses.map(formatAddress))].join(' and ')
