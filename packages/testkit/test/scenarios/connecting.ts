/** Dialling as an application does it: again, when a bad line made an attempt fail. */
import type { DialPolicy } from '@showchain/client/core'
import { expect } from 'vitest'
import type { SimConnection, SimPeer, SimRelay } from '../../src/index.ts'
import type { Lab } from './lab.ts'

/**
 * At 20 % loss each way a connect of several trips fails now and then; five times in a row it does
 * not.
 */
const MAX_DIALS = 5

export interface Connected {
  /** At the end that dialled. */
  readonly ours: SimConnection
  readonly theirs: SimConnection
  readonly dials: number
}

/** @param via `auto` dials with all that is known: the relay and the target's address. */
export function connect(lab: Lab, from: SimPeer, to: SimPeer, via: DialPolicy, relay?: SimRelay): Connected {
  for (let dials = 1; dials <= MAX_DIALS; dials++) {
    const dialled = from.dial(to.id, via, {
      relays: relay === undefined || via === 'direct' ? [] : [relay],
      addresses: via === 'direct' ? [to.endpoint] : [],
    })
    lab.until(() => dialled.ended !== undefined)
    if (dialled.link === undefined) continue
    const ours = from.links.get(dialled.link)
    expect(ours).toMatchObject({ remoteId: to.id, closed: undefined })
    lab.until(() => to.open.some(({ remoteId }) => remoteId === from.id))
    return {
      ours: ours as SimConnection,
      theirs: to.open.find(({ remoteId }) => remoteId === from.id) as SimConnection,
      dials,
    }
  }
  throw new Error(`${from.host.name} could not connect in ${MAX_DIALS} dials.`)
}
