/** Opens the peer of `listen` and `connect` from their flags. */
import { type NatReport, type PathPolicy, Peer, type PeerOptions, type PortMapping } from '@showchain/client'
import { allowGarbage, traceLine } from '@showchain/client/runtime'
import { generateIdentity, type Identity, loadPublicKey } from '@showchain/crypto'
import {
  canonicalIp,
  type Encoding,
  parseAddress,
  parseTicket,
  quote,
  ShowchainError,
  type Ticket,
} from '@showchain/wire'
import { DEAD_AFTER, defaultIdentity } from './defaults.ts'
import { UsageError } from './failures.ts'
import { type IdentityFlags, identityOf } from './identity.ts'
import { lockIdentity } from './identity-lock.ts'
import { memoryFile } from './memory-file.ts'
import type { Output } from './output.ts'
import { qlogFiles } from './qlog-files.ts'
import { named, nameOf, type Sourced } from './sources.ts'

export interface PeerFlags extends IdentityFlags, Sourced {
  readonly ephemeral?: boolean
  readonly relay?: readonly string[]
  readonly addr?: readonly string[]
  readonly host?: string
  readonly port?: string
  readonly peerKey?: readonly string[]
  readonly plaintext?: boolean
  readonly encoding?: string
  readonly seedMode?: boolean
  readonly lan?: boolean
  readonly lanDiscovery?: boolean
  readonly lab?: boolean
  /** False with --no-port-mapping. */
  readonly portMapping?: boolean
  readonly keepAlive?: string
  readonly timeout?: string
  readonly deadAfter?: string
  readonly json?: boolean
  readonly trace?: boolean
  readonly qlog?: string
  readonly policy?: string
}

/** A whole number of an option. @throws UsageError */
export function wholeNumber<Option extends string>(
  flags: Sourced & { readonly [option in Option]?: string },
  option: Option,
  min: number,
  max: number,
): number | undefined {
  const text: string | undefined = flags[option]
  if (text === undefined) return undefined
  const value = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max))
    throw new UsageError(`${nameOf(flags, option)} is a whole number from ${min} to ${max}, not ${quote(text)}`)
  return value
}

export const POLICIES: readonly PathPolicy[] = ['auto', 'direct-only', 'relay-only']
export const ENCODINGS: readonly Encoding[] = ['binary', 'json']

/** Milliseconds of --timeout, given in seconds. @throws UsageError */
export const timeoutOf = (flags: PeerFlags): number | undefined => {
  const seconds = wholeNumber(flags, 'timeout', 1, 3600)
  return seconds === undefined ? undefined : seconds * 1000
}

/** @throws ShowchainError `ERR_BAD_TICKET` */
export const relaysOf = (flags: Pick<PeerFlags, 'relay' | 'from'>): readonly Ticket[] =>
  (flags.relay ?? []).map((text) => {
    try {
      return parseTicket(text)
    } catch (error) {
      throw named(flags, 'relay', error)
    }
  })

/** Nobody looks for the local address in a file when no flag has it. */
function withPlace({ from }: PeerFlags, error: unknown): unknown {
  const places = [from?.host, from?.port].filter((place) => place !== undefined)
  const local = error instanceof ShowchainError && LOCAL.includes(error.code)
  if (!local || places.length === 0) return error
  return new ShowchainError(error.code, `${error.detail} It is of ${places.join(' and ')}.`, { cause: error.cause })
}

const LOCAL: readonly ShowchainError['code'][] = ['ERR_ADDRESS_IN_USE', 'ERR_CANNOT_LISTEN']

/** Of --lab and --lan. */
export const addressPolicyOf = ({ lab, lan }: Pick<PeerFlags, 'lab' | 'lan'>): 'lab' | 'lan' | 'internet' =>
  lab === true ? 'lab' : lan === true ? 'lan' : 'internet'

/** That of a file, which no other program may use as long as this one runs. @throws UsageError, and as identityOf */
export async function ownIdentity(flags: IdentityFlags): Promise<Identity> {
  const identity = await identityOf(flags)
  await lockIdentity(flags.identity ?? defaultIdentity())
  return identity
}

/**
 * @param protocols of streams that remote peers may open by name
 * @throws UsageError, and ShowchainError as Peer.open does
 */
export async function openPeer(
  flags: PeerFlags,
  output: Output,
  accept: PeerOptions['accept'],
  protocols: readonly string[],
): Promise<Peer> {
  const { host } = flags
  if (host !== undefined && canonicalIp(host) === undefined)
    throw new UsageError(`${nameOf(flags, 'host')} is an IP address of this host, not ${quote(host)}`)
  const encoding = ENCODINGS.find((each) => each === (flags.encoding ?? 'binary'))
  if (encoding === undefined)
    throw new UsageError(`--encoding is ${ENCODINGS.join(' or ')}, not ${quote(flags.encoding)}`)
  const policy = POLICIES.find((each) => each === (flags.policy ?? 'auto'))
  if (policy === undefined)
    throw new UsageError(`${nameOf(flags, 'policy')} is one of ${POLICIES.join(', ')}, not ${quote(flags.policy)}`)
  const port = wholeNumber(flags, 'port', 0, 65_535)
  const keepAlive = wholeNumber(flags, 'keepAlive', 100, 60_000)
  const deadAfter = (wholeNumber(flags, 'deadAfter', 3, 86_400) ?? DEAD_AFTER) * 1000
  const relays = relaysOf(flags)
  const identity = flags.ephemeral === true ? await generateIdentity() : await ownIdentity(flags)
  const warn = (sentence: string): void => output.note('warning', sentence)
  const file = flags.ephemeral === true ? undefined : (flags.identity ?? defaultIdentity())
  const knownKeys = await Promise.all((flags.peerKey ?? []).map(loadPublicKey))
  allowGarbage()
  const opening = Peer.open({
    identity,
    knownKeys,
    encoding,
    accept,
    protocols,
    policy,
    relays,
    announce: (flags.addr ?? []).map(parseAddress),
    listen: [{ ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) }],
    plaintext: flags.plaintext === true,
    seedMode: flags.seedMode === true,
    portMapping: flags.portMapping !== false,
    addressPolicy: addressPolicyOf(flags),
    lanDiscovery: flags.lanDiscovery !== false,
    idleTimeout: deadAfter,
    ...(keepAlive === undefined ? {} : { keepAlive }),
    ...(flags.trace === true ? { trace: (entry) => void process.stderr.write(`${traceLine(entry)}\n`) } : {}),
    ...(flags.qlog === undefined ? {} : { qlog: qlogFiles(flags.qlog, warn) }),
    // An identity of one run has nothing to come back to.
    ...(file === undefined ? {} : { memory: memoryFile(file, warn) }),
    onWarning: warn,
  })
  const peer = await opening.catch((error: unknown) => Promise.reject(withPlace(flags, error)))
  if (flags.plaintext === true) output.note('plaintext', 'relays and networks on the path can read and alter the data')
  peer.on('relay', ({ relay, state, at, observed, over, reason, until }) => {
    const seen = observed === undefined ? '' : `; it sees this host at ${observed.ip} port ${observed.port}`
    const where = at === undefined ? relay : `at ${at.ip} port ${at.port}`
    const by = over === 'websocket' ? ' by WebSocket' : ''
    const what = state === 'expiring' ? '' : ` ${state}`
    const sentence =
      state === 'registered' ? `registered with the relay ${where}${by}${seen}` : `relay ${where}${what}: ${reason}`
    output.note('relay', sentence, { relay, at, state, observed, over, reason, until })
  })
  peer.on('portMapping', (mapping) => {
    const sentence = mappingSentence(mapping)
    if (sentence !== undefined) output.note('mapping', sentence, { ...mapping })
  })
  peer.on('nat', (report) => output.note('nat', natSentence(report), { ...report }))
  return peer
}

/** Undefined for what is nothing to tell: most routers map no port. */
function mappingSentence(mapping: PortMapping): string | undefined {
  if (mapping.state === 'mapped') {
    const { protocol, external } = mapping
    return `the router maps a port by ${protocol}: everybody reaches this host at ${external.ip} port ${external.port}`
  }
  if (mapping.state !== 'none' || mapping.cause !== 'useless') return undefined
  return `what the router maps is not used: ${mapping.why}`
}

/** RFC 4787's terms, by NatBehaviour. */
const BEHAVIOUR = ['unknown', 'endpoint-independent', 'address-dependent', 'address- and port-dependent'] as const

function natSentence({ natted, type, mapping, filtering }: NatReport): string {
  if (natted === false) return 'no NAT: the relay sees the local address of this host'
  const name = type === undefined ? 'a NAT' : `a NAT of type ${type}`
  if (mapping + filtering === 0) return `behind ${name}, of which no more is known`
  return `behind ${name} (mapping ${BEHAVIOUR[mapping]}, filtering ${BEHAVIOUR[filtering]})`
}
