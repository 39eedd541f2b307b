/**
 * The relay's second role: a mailbox for short codes, an ordinary protected peer in the same process that
 * is registered at the relay. It has an identity of its own, in a file beside that of the relay.
 */
import { Peer } from '@showchain/client'
import { isWildcard } from '@showchain/client/runtime'
import type { Identity } from '@showchain/crypto'
import { Mailbox, type ServeOptions } from '@showchain/mailbox/server'
import type { Relay } from '@showchain/server/runtime'
import { formatTicket } from '@showchain/wire'
import type { Logger } from 'pino'

/** Milliseconds for a registration within this host. */
const REGISTRATION = 10_000
/** Milliseconds until a client that was killed counts as gone, and its slot is free. */
const IDLE = 30_000

/** Where this host reaches an address that the relay is bound to. */
const local = (ip: string): string => (isWildcard(ip) ? (ip === '::' ? '::1' : '127.0.0.1') : ip)

/** @throws ShowchainError as `Peer.open` and `peer.registered` */
export async function openMailbox(
  relay: Relay,
  identity: Identity,
  sourceOf: ServeOptions['sourceOf'],
  log: Logger,
): Promise<Mailbox> {
  const [bound] = relay.addresses
  const address = { host: local(bound?.ip ?? '127.0.0.1'), port: bound?.port ?? 0 }
  const peer = await Peer.open({
    identity,
    relays: [formatTicket({ id: relay.id, relays: [], addresses: [address] })],
    listen: [{ host: address.host }],
    // It sends to its relay alone, which may be on loopback.
    addressPolicy: 'lab',
    policy: 'relay-only',
    idleTimeout: IDLE,
    onWarning: (sentence) => log.warn(`mailbox: ${sentence}`),
  })
  try {
    await peer.registered({ timeout: REGISTRATION })
  } catch (error) {
    await peer.close()
    throw error
  }
  log.info({ id: peer.id }, 'mailbox')
  return Mailbox.serve(peer, { sourceOf })
}
