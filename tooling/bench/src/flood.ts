/** Sends packets as fast as they are acknowledged, so many on their way at once. */
import type { Socket } from 'node:dgram'
import { LOOPBACK } from './loopback.ts'
import { acknowledgementOf } from './packet-plan.ts'

export interface Lane {
  readonly from: Socket
  readonly to: Socket
  readonly packets: readonly Uint8Array[]
  /** Where the receiver answers. @default the port of the one in the middle */
  readonly backPort?: number
}

export interface Flood {
  readonly seconds: number
  readonly acknowledged: number
  /** Not acknowledged when nothing moved any more. */
  readonly lost: number
}

export interface FloodOptions {
  readonly lanes: readonly Lane[]
  /** Of the one in the middle, who passes on. */
  readonly port: number
  /** Packets of each lane on their way at once. */
  readonly window: number
  /** What the receiver says to a packet. @default a 0x125 */
  readonly answer?: (passed: Uint8Array) => Uint8Array
  /**
   * Length of an answer when it comes back: what else comes to a sender (0x100) is none.
   * @default that of a 0x125
   */
  readonly answerBytes?: number
}

/** When nothing was acknowledged for so long, in ms, what is on its way is lost. */
const PATIENCE = 300
const ACKNOWLEDGEMENT_BYTES = acknowledgementOf(new Uint8Array(32)).length

/** Every packet is sent once. */
export function flood({
  lanes,
  port,
  window,
  answer = acknowledgementOf,
  answerBytes = ACKNOWLEDGEMENT_BYTES,
}: FloodOptions): Promise<Flood> {
  return new Promise((resolve) => {
    const states = lanes.map((lane) => ({ lane, next: 0, onWay: 0 }))
    let acknowledged = 0
    let lost = 0
    let before = -1

    const fill = (state: (typeof states)[number]): void => {
      const { lane } = state
      while (state.onWay < window && state.next < lane.packets.length) {
        lane.from.send(lane.packets[state.next++] as Uint8Array, port, LOOPBACK)
        state.onWay++
      }
    }
    const finish = (): void => {
      clearInterval(watch)
      const seconds = (performance.now() - start) / 1000
      for (const { from, to } of lanes) for (const socket of [from, to]) socket.removeAllListeners('message')
      resolve({ seconds, acknowledged, lost })
    }
    const isDone = (): boolean => states.every(({ lane, next, onWay }) => next === lane.packets.length && onWay === 0)
    const watch = setInterval(() => {
      const stuck = acknowledged === before
      before = acknowledged
      if (!stuck) return
      for (const state of states) {
        lost += state.onWay
        state.onWay = 0
        fill(state)
      }
      if (isDone()) finish()
    }, PATIENCE)

    const start = performance.now()
    for (const state of states) {
      const { from, to, backPort = port } = state.lane
      to.on('message', (passed) => to.send(answer(passed), backPort, LOOPBACK))
      from.on('message', ({ length }) => {
        if (length !== answerBytes || state.onWay === 0) return
        state.onWay--
        acknowledged++
        fill(state)
        if (state.onWay === 0 && isDone()) finish()
      })
      fill(state)
    }
  })
}
