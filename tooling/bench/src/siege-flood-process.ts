/** Sends forgeries at a steady rate, each from one of many loopback addresses. */
import { serve } from './child.ts'
import { closeAll, cpuSeconds, openSocket } from './loopback.ts'
import { Volley } from './siege-volley.ts'

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
  readonly cpuSeconds: number
}

/** Milliseconds between two volleys: the flood sleeps meanwhile, and leaves its core to others. */
const PAUSE = 1
/** Seconds of packets that are made up for when the flood had no core: more would be another flood. */
const LATE = 0.05

const sleeper = new Int32Array(new SharedArrayBuffer(4))

async function flood({ port, packets, rate, seconds, sources }: FloodRequest): Promise<Flooded> {
  const socket = await openSocket('0.0.0.0')
  const volley = new Volley(socket, packets, port, sources)
  const cpu = cpuSeconds()
  const begun = performance.now()
  const elapsed = (): number => (performance.now() - begun) / 1000
  let [sent, given] = [0, 0]
  for (let now = 0; now < seconds; now = elapsed()) {
    const due = Math.floor(rate * now)
    given = Math.max(given, due - Math.floor(rate * LATE))
    while (given < due) {
      const took = volley.fire(due - given)
      if (took === 0) break
      sent += took
      given += took
    }
    Atomics.wait(sleeper, 0, 0, PAUSE)
  }
  const taken = elapsed()
  await closeAll([socket])
  return { sent, seconds: taken, cpuSeconds: cpuSeconds() - cpu }
}

serve(flood)
