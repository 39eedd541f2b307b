/** Waits for the first registration of a peer with a relay. */
import { formatEndpoint, type PeerId, ShowchainError } from '@showchain/wire'
import type { Waiting } from './async/deadline.ts'
import type { PeerEvents } from './peer-events.ts'

/**
 * Rejects with `ERR_CONNECT_FAILED` when each relay failed once.
 * @returns ends the wait
 */
export function awaitRegistration(
  { listeners, locators }: Pick<PeerEvents, 'listeners' | 'locators'>,
  { resolve, reject }: Waiting<void>,
): () => void {
  const failures = new Map<string, string>()
  const failed = new Set<PeerId>()
  return listeners.on('relay', ({ relay, state, at, reason }) => {
    if (state === 'registered') return void resolve()
    const where = at === undefined ? '' : ` at ${formatEndpoint(at)}`
    failures.set(`${relay}${where}`, `relay ${relay}${where}: ${reason}`)
    if (state !== 'failed' || !locators.every((each) => each.id !== relay || each.failed)) return
    failed.add(relay)
    if (locators.every(({ id }) => failed.has(id)))
      reject(new ShowchainError('ERR_CONNECT_FAILED', `${[...failures.values()].join('; ')}.`))
  })
}
