/** What a peer is opened with, checked once at the door. */
import type { Identity, PublicKey } from '@showchain/crypto/core'
import {
  type Address,
  addressSchema,
  canonicalIp,
  type Encoding,
  ipFamily,
  type PeerId,
  parseOptions,
  parsePeerId,
  parseTicket,
  ShowchainError,
  type Ticket,
  ticketSchema,
} from '@showchain/wire'
import * as z from 'zod/mini'
import { protocolSchema } from './call-options.ts'
import {
  type AcquaintanceStore,
  type AddressPolicyName,
  Bbr,
  type CongestionFactory,
  Cubic,
  IDLE_TIMEOUT,
  type PathPolicy,
  type Via,
} from './core/index.ts'
import { type PeerMemory, storeOf } from './memory.ts'
import type { Qlog } from './runtime/qlog.ts'
import type { Runtime } from './runtime/runtime.ts'
import type { Trace } from './runtime/trace.ts'
import { LISTEN_EVERYWHERE, type ListenAddress } from './runtime/udp-options.ts'

/** Asked before anything is answered; a no, a throw or a rejection looks like an absent peer. */
export type AcceptCallback = (request: { readonly id: PeerId; readonly via: Via }) => boolean | Promise<boolean>
export type Accept = 'everyone' | 'nobody' | readonly PeerId[] | AcceptCallback

/** What a peer is opened with. */
export interface PeerOptions {
  /** Who this peer is. */
  readonly identity: Identity
  /** Tickets of the relays to register with. @default none */
  readonly relays?: readonly (string | Ticket)[] | undefined
  /**
   * Local addresses, at most one of each family; a port without a host is that port in both.
   * @default any port in both families
   */
  readonly listen?: readonly Partial<ListenAddress>[] | undefined
  /**
   * STUN servers for NAT discovery, used before the relays. One that has a second address (RFC
   * 5780) is enough.
   * @default none
   */
  readonly stunServers?: readonly Address[] | undefined
  /**
   * Addresses for the ticket beside the relays, when this peer is reachable there.
   * @default none
   */
  readonly announce?: readonly Address[] | undefined
  /** Who may connect. @default 'everyone' */
  readonly accept?: Accept | undefined
  /**
   * Takes what a peer that dials says before it is answered: `stream.early` says so.
   * It is delivered once, `accept` comes first, and the readme says what it does not protect.
   * @default false
   */
  readonly acceptEarly?: boolean | undefined
  /**
   * The protocols of streams that remote peers may open by name: `acceptStream` takes them. Streams of
   * another one are reset, and the remote peer gets `ERR_UNKNOWN_PROTOCOL`. Streams without a name
   * are taken in any case.
   * @default any
   */
  readonly protocols?: readonly string[] | undefined
  /**
   * Where it keeps what it has of relays and peers that it has met, which saves round trips: their
   * tokens and static keys.
   * @default in memory
   */
  readonly memory?: PeerMemory | undefined
  /** Public keys of peers and relays that implement only the base protocol. @default none */
  readonly knownKeys?: readonly PublicKey[] | undefined
  /** Encoding of requests. @default 'binary' */
  readonly encoding?: Encoding | undefined
  /** Sends no extension fields. @default false */
  readonly seedMode?: boolean | undefined
  /**
   * Which paths connections may take: `relay-only` hides this peer's address, `direct-only` shows a
   * relay no data.
   * @default 'auto'
   */
  readonly policy?: PathPolicy | undefined
  /**
   * No encryption: relays and networks can read and alter the data. For remote peers that implement
   * only the base protocol.
   * @default false
   */
  readonly plaintext?: boolean | undefined
  /**
   * Congestion control of protected data: `bbr` keeps its rate under random loss, `cubic` (RFC
   * 9438) shares a bottleneck with TCP.
   * @default 'bbr'
   */
  readonly congestion?: CongestionName | undefined
  /**
   * Asks the router in front, by PCP, NAT-PMP or UPnP, to let everybody in at the port of this peer. What it
   * grants is announced, unless relays see this peer at another address. Not with `relay-only`.
   * @default true
   */
  readonly portMapping?: boolean | undefined
  /**
   * Looks for remote peers on this host's private networks (mDNS), and lets those find it there that
   * know its id: without relay, ticket and internet. It lets nobody find it who may not connect, and
   * is off with `relay-only`.
   * @default false
   */
  readonly lanDiscovery?: boolean | undefined
  /**
   * Which addresses may be sent to that others announce, or that a ticket names, apart from
   * `relays` above. `internet`: public ones, and announced private ones between peers that share a
   * public address. `lan`: private ones too. `lab`: also loopback and documentation ranges.
   * @default 'internet'
   */
  readonly addressPolicy?: AddressPolicyName | undefined
  /** Milliseconds of silence after which a path is kept alive, 100 to 60,000. @default 15,000 */
  readonly keepAlive?: number | undefined
  /**
   * Milliseconds without anything from the remote peer after which a protected connection ends,
   * 1,000 to 86,400,000. While the remote peer owes an acknowledgement it is a third of this, unless
   * this end has lost each relay, and has no direct path.
   * @default 300,000
   */
  readonly idleTimeout?: number | undefined
  /**
   * The system that the peer runs on: Node, or a host of testkit's simulated internet.
   * @default nodeRuntime
   */
  readonly runtime?: Runtime | undefined
  /** Called for every datagram, decoded. */
  readonly trace?: Trace | undefined
  /**
   * Records protected connections as qlog: called for each, it returns what takes the texts of its
   * recording (JSON-SEQ, file extension `.sqlog`). Recordings show times, sizes and addresses, and
   * no data.
   */
  readonly qlog?: Qlog | undefined
  /** Called with a sentence about a problem that does not stop the peer. */
  readonly onWarning?: ((sentence: string) => void) | undefined
}

/** Congestion controllers by name. */
export type CongestionName = 'bbr' | 'cubic'
export const CONGESTION: Readonly<Record<CongestionName, CongestionFactory>> = {
  bbr: (packet) => new Bbr(packet),
  cubic: (packet) => new Cubic(packet),
}

/** The options with every default in place and every ticket read. */
export interface CheckedOptions
  extends Required<Omit<PeerOptions, 'relays' | 'protocols' | 'memory' | 'trace' | 'qlog' | 'onWarning'>> {
  readonly relays: readonly Ticket[]
  readonly listen: readonly ListenAddress[]
  readonly accept: Accept
  readonly acceptEarly: boolean
  readonly protocols: readonly string[] | undefined
  readonly acquaintances: AcquaintanceStore
  readonly announce: readonly Address[]
  readonly stunServers: readonly Address[]
  readonly knownKeys: readonly PublicKey[]
  readonly encoding: Encoding
  readonly addressPolicy: AddressPolicyName
  readonly policy: PathPolicy
  readonly seedMode: boolean
  readonly plaintext: boolean
  readonly congestion: CongestionName
  readonly portMapping: boolean
  readonly lanDiscovery: boolean
  readonly keepAlive: number
  readonly idleTimeout: number
  readonly runtime: Runtime
  readonly trace: Trace | undefined
  readonly qlog: Qlog | undefined
  readonly onWarning: ((sentence: string) => void) | undefined
}

/** A configuration names a handful of relays; a ticket has room for eight. */
const MAX_RELAYS = 8
/** More than are asked (nat-discovery.ts) tell nothing more. */
const MAX_STUN_SERVERS = 2

/** As many as a remote peer may have open streams. */
const MAX_PROTOCOLS = 256

const has = (value: unknown, ...names: readonly string[]): boolean =>
  typeof value === 'object' && value !== null && names.every((name) => name in value)
const callable = <F>(): z.ZodMiniType<F> => z.custom<F>((value) => typeof value === 'function', 'not a function')
const parsed = <Value>(parse: (text: string) => Value): z.ZodMiniType<Value> => z.pipe(z.string(), z.transform(parse))
const ticket = z.union([parsed(parseTicket), ticketSchema])
const listen = z.partial(
  z.strictObject({ host: z.string().check(z.minLength(1)), port: z.int().check(z.gte(0), z.lte(65_535)) }),
)
/** @param max elements */
const list = <Element extends z.core.$ZodType>(
  element: Element,
  max: number,
): z.ZodMiniDefault<z.ZodMiniArray<Element>> => z._default(z.array(element).check(z.maxLength(max)), [])
const whole = (min: number, max: number): z.ZodMiniType<number> => z.int().check(z.gte(min), z.lte(max))

const schema = z.strictObject({
  identity: z.custom<Identity>((value) => has(value, 'id', 'publicKey', 'sign'), 'not an identity'),
  relays: list(ticket, MAX_RELAYS),
  listen: z._default(z.array(listen).check(z.minLength(1), z.maxLength(2)), [{}]),
  announce: list(addressSchema, MAX_RELAYS),
  stunServers: list(addressSchema, MAX_STUN_SERVERS),
  accept: z._default(
    z.union([z.literal('everyone'), z.literal('nobody'), z.array(parsed(parsePeerId)), callable<AcceptCallback>()]),
    'everyone',
  ),
  acceptEarly: z._default(z.boolean(), false),
  protocols: z.optional(z.array(protocolSchema).check(z.maxLength(MAX_PROTOCOLS))),
  memory: z.optional(z.custom<PeerMemory>((value) => has(value, 'get', 'set'), 'not a memory')),
  knownKeys: z._default(z.array(z.custom<PublicKey>((value) => has(value, 'id', 'spki'), 'not a public key')), []),
  encoding: z._default(z.enum(['binary', 'json']), 'binary'),
  seedMode: z._default(z.boolean(), false),
  policy: z._default(z.enum(['auto', 'direct-only', 'relay-only']), 'auto'),
  plaintext: z._default(z.boolean(), false),
  lanDiscovery: z._default(z.boolean(), false),
  congestion: z._default(z.enum(['bbr', 'cubic']), 'bbr'),
  portMapping: z._default(z.boolean(), true),
  addressPolicy: z._default(z.enum(['internet', 'lan', 'lab']), 'internet'),
  keepAlive: z._default(whole(100, 60_000), 15_000),
  idleTimeout: z._default(whole(1000, 86_400_000), IDLE_TIMEOUT),
  runtime: z.optional(z.custom<Runtime>((value) => has(value, 'clock', 'openSocket', 'worker'), 'not a runtime')),
  trace: z.optional(callable<Trace>()),
  qlog: z.optional(callable<Qlog>()),
  onWarning: z.optional(callable<(sentence: string) => void>()),
})

/**
 * @param system where there is no other `runtime` among the options
 * @throws ShowchainError `ERR_BAD_CONFIG` naming each key that is wrong; `ERR_BAD_TICKET`,
 * `ERR_BAD_PEER_ID`
 */
export function checkOptions(options: PeerOptions, system: Runtime): CheckedOptions {
  const { memory, protocols, trace, qlog, onWarning, ...rest } = parseOptions(schema, options, 'options')
  // Each has an address.
  rest.relays.map(relayAddress)
  if (rest.relays.some(({ id }) => id === rest.identity.id))
    throw new ShowchainError('ERR_BAD_TICKET', "It is this peer's own: a relay has an identity of its own.")
  return {
    ...rest,
    runtime: rest.runtime ?? system,
    listen: rest.listen.flatMap(withHost),
    acquaintances: storeOf(memory, onWarning),
    protocols,
    trace,
    qlog,
    onWarning,
  }
}

const withHost = ({
  host,
  port = 0,
}: {
  host?: string | undefined
  port?: number | undefined
}): readonly ListenAddress[] =>
  host === undefined ? LISTEN_EVERYWHERE.map((any) => ({ ...any, port })) : [{ host, port }]

/** Where a relay's own ticket says that it listens: the first of its addresses. @throws ShowchainError `ERR_BAD_TICKET` */
export function relayAddress({ id, addresses, websocket }: Ticket): Ticket['relays'][number] {
  const [address] = addresses
  if (address === undefined) throw new ShowchainError('ERR_BAD_TICKET', `The ticket of relay ${id} names no address.`)
  return websocket === undefined ? { id, address } : { id, address, websocket }
}

/** The same at the first of the other IP family; a name leads to both by itself. */
export function otherRelayAddress(ticket: Ticket): Ticket['relays'][number] | undefined {
  const relay = relayAddress(ticket)
  const address = otherFamilyOf(relay.address, ticket.addresses)
  return address && { ...relay, address }
}

/** The first IP address of the other family than this one; undefined where this is a name. */
function otherFamilyOf({ host }: Address, all: readonly Address[]): Address | undefined {
  const family = familyOf(host)
  const other = all.find((each) => ![undefined, family].includes(familyOf(each.host)))
  return family === undefined ? undefined : other
}

function familyOf(host: string): 4 | 6 | undefined {
  const ip = canonicalIp(host)
  return ip === undefined ? undefined : ipFamily(ip)
}
