/**
 * Numbered messages between two connected peers, and what must be true of them whatever the line
 * did.
 */
import { type ConnectionHandle, type Duration, later } from '@showchain/client/core'
import type { ErrorCode } from '@showchain/wire'
import { expect } from 'vitest'
import type { Delivery, SimPeer } from '../../src/index.ts'
import type { Lab } from './lab.ts'

export interface Flow {
  readonly from: SimPeer
  readonly to: SimPeer
  readonly deliveries: Delivery[]
  readonly wanted: number
}

const numbered = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}
const numberOf = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)

/**
 * Sends so many messages, one after each pause, from now on; `link` is asked for each, since a
 * connection may be opened anew.
 */
export function flow(
  lab: Lab,
  from: SimPeer,
  to: SimPeer,
  link: () => ConnectionHandle,
  { wanted, pause }: { readonly wanted: number; readonly pause: Duration },
): Flow {
  const { clock } = lab.sim
  const deliveries: Delivery[] = []
  const next = (): void => {
    deliveries.push(from.send(link(), numbered(deliveries.length)))
    if (deliveries.length < wanted) clock.schedule(later(clock.now(), pause), next)
  }
  next()
  return { from, to, deliveries, wanted }
}

export const isOver = ({ deliveries, wanted }: Flow): boolean =>
  deliveries.length === wanted && deliveries.every(({ ended }) => ended !== undefined)

/** How often each message arrived. */
function arrivals({ from, to, wanted }: Flow): readonly number[] {
  const times = new Array<number>(wanted).fill(0)
  for (const { from: sender, bytes } of to.arrived) if (sender === from.id) (times[numberOf(bytes)] as number)++
  return times
}

/**
 * What was acknowledged arrived once; what failed says why and arrived at most once; nothing else
 * arrived.
 * @returns how many failed.
 */
export function expectExactlyOnce(each: Flow, allowed: readonly ErrorCode[] = ['ERR_TIMEOUT']): number {
  const times = arrivals(each)
  const wrong: string[] = []
  let failed = 0
  for (const [index, { failure }] of each.deliveries.entries()) {
    const arrived = times[index] as number
    if (failure !== undefined) failed++
    const right = failure === undefined ? arrived === 1 : arrived <= 1 && allowed.includes(failure.code)
    if (!right)
      wrong.push(
        `message ${index} of ${each.from.host.name} ended as ${failure?.code ?? 'acknowledged'} and arrived ${arrived} times`,
      )
  }
  expect(wrong).toEqual([])
  return failed
}
