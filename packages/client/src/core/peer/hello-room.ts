/** How long the hello of a dial may be, so that each of its requests has room for it. */
import { MAX_COOKIE_BYTES, MAX_COUNTER, MAX_HELLO_BYTES, type PeerId } from '@showchain/wire'
import type { DialAttempt } from '../context/events.ts'
import type { PeerContext } from '../context/peer-context.ts'
import { hasRoom, introduction, type Registrations } from '../punch/candidates.ts'
import { firstContact } from './first-contact.ts'

/** What an introduction may have to say later on besides: the behaviour of this peer's NAT. */
const RESERVE = 16

export function helloRoom(
  context: PeerContext,
  target: PeerId,
  registrations: Registrations,
  ways: readonly Pick<DialAttempt, 'via'>[],
): (bytes: number) => boolean {
  const direct = ways.some(({ via }) => via === 'direct')
  const punch = ways.some(({ via }) => via !== 'direct')
  const acquainted = context.keys.get(target) !== undefined
  const stamp = { seq: MAX_COUNTER, ts: MAX_COUNTER }
  const cookie = new Uint8Array(MAX_COOKIE_BYTES)
  return (bytes) => {
    if (bytes + RESERVE > MAX_HELLO_BYTES) return false
    const { ext } = punch ? introduction(context, registrations, true, undefined) : {}
    if (punch && (ext === undefined || !hasRoom(context, target, ext, bytes + RESERVE, acquainted))) return false
    return !direct || firstContact(context, target, stamp, cookie, new Uint8Array(bytes)).ext?.hello !== undefined
  }
}
