/**
 * Items of a message between the nodes of a fleet (docs/fleet.md, Items), each in its binary form:
 *
 *   kind (1) | length (2) | body
 */
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from '../bytes.ts'
import type { Endpoint } from '../endpoint.ts'
import { type PeerId, peerIdFromBytes, peerIdToBytes } from '../ids.ts'
import { counterKind, ipKind, portKind } from '../kinds.ts'
import { MAX_KEY_BYTES, MAX_PROBED_DATAGRAM, PEER_ID_BYTES } from '../limits.ts'
import { banItemLength, type FleetBan, type FleetBans, readBan, readBans, writeBanItem } from './bans.ts'

/** Numbers of the kinds of items. */
export const FLEET_ITEM = {
  ...{ deliver: 1, arrived: 2, bound: 3, gone: 4, status: 5 },
  ...{ handed: 6, share: 7, shared: 8, repaid: 9 },
  ...{ ban: 10, bans: 11 },
} as const
/** Bytes in front of an item's body. */
export const FLEET_ITEM_HEADER_BYTES = 3
/** Most addresses in a status. */
export const MAX_FLEET_ADDRESSES = 8
/** docs/fleet.md, Items: the one flag of a status that is used. */
const DRAINING = 1
/** And that of `handed` and `share`. */
const FLAG = 1
/** Of a number of bytes that are lent. */
const LOAN_BYTES = 4

/** Send this to the peer, if it is bound at your node. */
export interface FleetDeliver {
  readonly kind: 'deliver'
  readonly peer: PeerId
  readonly datagram: Uint8Array
}

/** This came from the peer's bound address, and is for a session of yours. */
export interface FleetArrived {
  readonly kind: 'arrived'
  readonly peer: PeerId
  readonly from: Endpoint
  /** The peer's key; empty where no signature is verified. */
  readonly key: Uint8Array
  readonly datagram: Uint8Array
}

/** The peer registered at my node. */
export interface FleetBound {
  readonly kind: 'bound'
  readonly peer: PeerId
  /** When, Unix milliseconds. */
  readonly at: number
}

/** The peer is not bound at my node. */
export interface FleetGone {
  readonly kind: 'gone'
  readonly peer: PeerId
}

/** How my node is. */
export interface FleetStatus {
  readonly kind: 'status'
  readonly bindings: number
  readonly sessions: number
  readonly draining: boolean
  readonly addresses: readonly Endpoint[]
}

/** A channel frame came from this address to the port that our nodes share; one of yours may be bound there. */
export interface FleetHanded {
  readonly kind: 'handed'
  /** Nobody else is asked: its sender is told if nobody is bound there. */
  readonly alone: boolean
  readonly from: Endpoint
  readonly datagram: Uint8Array
}

/** I have sessions of the peer that is bound at your node, and would take and send its frames at our port. */
export interface FleetShare {
  readonly kind: 'share'
  readonly peer: PeerId
  /** Frames came from its address since I said it last. */
  readonly heard: boolean
  /** Bytes that I would take of it beyond those that you have lent me, where they are counted. */
  readonly wants: number
}

/** The peer is bound at my node, at this address. */
export interface FleetShared {
  readonly kind: 'shared'
  readonly peer: PeerId
  /** Undefined: its frames go over the bus. */
  readonly at: Endpoint | undefined
  /** So many bytes more you may take of it: they are counted. */
  readonly lent: number
}

/** I take so many bytes less of the peer than you have lent me. */
export interface FleetRepaid {
  readonly kind: 'repaid'
  readonly peer: PeerId
  readonly bytes: number
}

/** What nodes of one port say to each other. */
export type FleetBeside = FleetHanded | FleetShare | FleetShared | FleetRepaid

export type FleetItem =
  | FleetBeside
  | FleetDeliver
  | FleetArrived
  | FleetBound
  | FleetGone
  | FleetStatus
  | FleetBan
  | FleetBans

const NO_BYTES = new Uint8Array(0)

/** Bytes of an item. */
export function fleetItemLength(item: FleetItem): number {
  return FLEET_ITEM_HEADER_BYTES + bodyLength(item)
}

function bodyLength(item: FleetItem): number {
  switch (item.kind) {
    case 'deliver':
      return PEER_ID_BYTES + item.datagram.length
    case 'arrived':
      return PEER_ID_BYTES + endpointLength(item.from) + 2 + item.key.length + item.datagram.length
    case 'bound':
      return PEER_ID_BYTES + 8
    case 'gone':
      return PEER_ID_BYTES
    case 'handed':
      return 1 + endpointLength(item.from) + item.datagram.length
    case 'share':
      return PEER_ID_BYTES + 1 + LOAN_BYTES
    case 'shared':
      return PEER_ID_BYTES + (item.at === undefined ? 0 : endpointLength(item.at) + LOAN_BYTES)
    case 'repaid':
      return PEER_ID_BYTES + LOAN_BYTES
    case 'ban':
    case 'bans':
      return banItemLength(item)
    case 'status':
      return 10 + item.addresses.reduce((sum, address) => sum + endpointLength(address), 0)
  }
}

const endpointLength = ({ ip }: Endpoint): number => ipKind.measure(ip) + 2

const writeEndpoint = (out: Uint8Array, at: number, { ip, port }: Endpoint): number =>
  writeU16(out, ipKind.write(out, at, ip), port)

/** @returns the position after it */
export function writeFleetItem(out: Uint8Array, at: number, item: FleetItem): number {
  out[at] = FLEET_ITEM[item.kind]
  const body = writeU16(out, at + 1, bodyLength(item))
  if (item.kind === 'status') return writeStatus(out, body, item)
  if (item.kind === 'handed') return writeHanded(out, body, item)
  if (item.kind === 'ban' || item.kind === 'bans') return writeBanItem(out, body, item)
  out.set(peerIdToBytes(item.peer), body)
  const rest = body + PEER_ID_BYTES
  if (item.kind === 'gone') return rest
  if (item.kind === 'bound') return writeU64(out, rest, item.at)
  if (item.kind === 'shared')
    return item.at === undefined ? rest : writeU32(out, writeEndpoint(out, rest, item.at), item.lent)
  if (item.kind === 'repaid') return writeU32(out, rest, item.bytes)
  if (item.kind === 'share') {
    out[rest] = item.heard ? FLAG : 0
    return writeU32(out, rest + 1, item.wants)
  }
  const datagram = item.kind === 'arrived' ? writeOrigin(out, rest, item) : rest
  out.set(item.datagram, datagram)
  return datagram + item.datagram.length
}

function writeHanded(out: Uint8Array, at: number, { alone, from, datagram }: FleetHanded): number {
  out[at] = alone ? FLAG : 0
  const bytes = writeEndpoint(out, at + 1, from)
  out.set(datagram, bytes)
  return bytes + datagram.length
}

function writeOrigin(out: Uint8Array, at: number, { from, key }: FleetArrived): number {
  const bytes = writeU16(out, writeEndpoint(out, at, from), key.length)
  out.set(key, bytes)
  return bytes + key.length
}

function writeStatus(out: Uint8Array, at: number, { bindings, sessions, draining, addresses }: FleetStatus): number {
  const flags = writeU32(out, writeU32(out, at, bindings), sessions)
  out[flags] = draining ? DRAINING : 0
  out[flags + 1] = addresses.length
  return addresses.reduce((end, address) => writeEndpoint(out, end, address), flags + 2)
}

/**
 * The item whose body this is: undefined when it is none, `unknown` for a kind that a later version may
 * have. Bytes of it are views.
 */
export function readFleetItem(kind: number, body: Uint8Array): FleetItem | 'unknown' | undefined {
  if (kind === FLEET_ITEM.status) return readStatus(body)
  if (kind === FLEET_ITEM.handed) return readHanded(body)
  if (kind === FLEET_ITEM.ban) return readBan(body)
  if (kind === FLEET_ITEM.bans) return readBans(body)
  if (kind < FLEET_ITEM.deliver || kind > FLEET_ITEM.repaid) return 'unknown'
  if (body.length < PEER_ID_BYTES) return undefined
  const peer = peerIdFromBytes(body.subarray(0, PEER_ID_BYTES))
  const rest = body.subarray(PEER_ID_BYTES)
  switch (kind) {
    case FLEET_ITEM.deliver:
      return isDatagram(rest) ? { kind: 'deliver', peer, datagram: rest } : undefined
    case FLEET_ITEM.arrived:
      return readArrived(peer, rest)
    case FLEET_ITEM.bound:
      return counterKind.end(rest, 0) === rest.length ? { kind: 'bound', peer, at: readU64(rest, 0) } : undefined
    case FLEET_ITEM.share:
      if (rest.length !== 1 + LOAN_BYTES) return undefined
      return { kind: 'share', peer, heard: isFlagged(rest), wants: readU32(rest, 1) }
    case FLEET_ITEM.shared:
      return readShared(peer, rest)
    case FLEET_ITEM.repaid:
      return rest.length === LOAN_BYTES ? { kind: 'repaid', peer, bytes: readU32(rest, 0) } : undefined
    default:
      return rest.length === 0 ? { kind: 'gone', peer } : undefined
  }
}

const isDatagram = ({ length }: Uint8Array): boolean => length > 0 && length <= MAX_PROBED_DATAGRAM

const isFlagged = (bytes: Uint8Array): boolean => ((bytes[0] as number) & FLAG) !== 0

function readHanded(bytes: Uint8Array): FleetHanded | undefined {
  const origin = readEndpoint(bytes, 1)
  if (origin === undefined) return undefined
  const datagram = bytes.subarray(origin.end)
  return isDatagram(datagram) ? { kind: 'handed', alone: isFlagged(bytes), from: origin.endpoint, datagram } : undefined
}

function readShared(peer: PeerId, bytes: Uint8Array): FleetShared | undefined {
  if (bytes.length === 0) return { kind: 'shared', peer, at: undefined, lent: 0 }
  const bound = readEndpoint(bytes, 0)
  if (bound === undefined || bound.end + LOAN_BYTES !== bytes.length) return undefined
  return { kind: 'shared', peer, at: bound.endpoint, lent: readU32(bytes, bound.end) }
}

function readArrived(peer: PeerId, bytes: Uint8Array): FleetArrived | undefined {
  const origin = readEndpoint(bytes, 0)
  if (origin === undefined || origin.end + 2 > bytes.length) return undefined
  const keyLength = readU16(bytes, origin.end)
  const key = bytes.subarray(origin.end + 2, origin.end + 2 + keyLength)
  const datagram = bytes.subarray(origin.end + 2 + keyLength)
  if (keyLength > MAX_KEY_BYTES || !isDatagram(datagram)) return undefined
  return { kind: 'arrived', peer, from: origin.endpoint, key: keyLength === 0 ? NO_BYTES : key, datagram }
}

function readEndpoint(bytes: Uint8Array, at: number): { endpoint: Endpoint; end: number } | undefined {
  const ip = at < bytes.length ? ipKind.end(bytes, at) : -1
  const end = ip === -1 ? -1 : portKind.end(bytes, ip)
  return end === -1 ? undefined : { endpoint: { ip: ipKind.read(bytes, at, ip), port: readU16(bytes, ip) }, end }
}

function readStatus(bytes: Uint8Array): FleetStatus | undefined {
  const count = bytes[9] ?? MAX_FLEET_ADDRESSES + 1
  if (count > MAX_FLEET_ADDRESSES) return undefined
  const addresses: Endpoint[] = []
  let at = 10
  for (let index = 0; index < count; index++) {
    const address = readEndpoint(bytes, at)
    if (address === undefined) return undefined
    addresses.push(address.endpoint)
    at = address.end
  }
  if (at !== bytes.length) return undefined
  const draining = ((bytes[8] as number) & DRAINING) !== 0
  return { kind: 'status', bindings: readU32(bytes, 0), sessions: readU32(bytes, 4), draining, addresses }
}
