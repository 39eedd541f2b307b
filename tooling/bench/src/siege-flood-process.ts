/** Sends forgeries at a steady rate, each from one of many loopback addresses. */
import type { Socket } from 'node:dgram'
import { setImmediate } from 'node:timers/promises'
import { serve } from './child.ts'
import { closeAll, LOOPBACK, openSocket } from './loopback.ts'

export interface FloodRequest {
  readonly port: number
  readonly packets: readonly Uint8Array[]
  /** Packets a second. */
  readonly rate: number
  readonly seconds: number
  /** Addresses that they come from. */
  readonly sources: number
}

export interface Flooded {
  readonly sent: number
  readonly seconds: number
}

/** Packets of one turn of the event loop, so that answers are read too. */
const TURN = 64

async function flood({ port, packets, rate, seconds, sources }: FloodRequest): Promise<Flooded> {
  const sockets: Socket[] = []
  for (let number = 0; number < sources; number++)
    sockets.push(await openSocket(`127.100.${number >> 8}.${number & 0xff}`))
  let sent = 0
  const begun = performance.now()
  const elapsed = (): number => (performance.now() - begun) / 1000
  while (elapsed() < seconds) {
    const due = Math.min(TURN, Math.floor(rate * elapsed()) - sent)
    for (let index = 0; index < due; index++, sent++)
      sockets[sent % sources]?.send(packets[sent % packets.length] as Uint8Array, port, LOOPBACK)
    await setImmediate()
  }
  const taken = elapsed()
  await closeAll(sockets)
  return { sent, seconds: taken }
}

serve(flood)
