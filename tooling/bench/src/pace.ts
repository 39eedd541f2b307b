/** Packets at a steady pace, and how long each is on its way. */
import { PacketSink, Shot, type Way } from './blast.ts'

export interface PaceOptions {
  readonly way: Way
  /** Where it goes: of the one in the middle, or of the receiver itself. */
  readonly port: number
  readonly perSecond: number
  readonly seconds: number
}

/** Of a packet's number: behind the header of a channel frame. */
const NUMBER_AT = 20
/** What is still on its way in the end has so long, in ms. */
const PATIENCE = 100

/** @returns microseconds of each packet that arrived */
export function pace({ way, port, perSecond, seconds }: PaceOptions): readonly number[] {
  const count = Math.round(perSecond * seconds)
  const shot = new Shot(way, { port, atOnce: 1, train: false })
  const sink = new PacketSink(way.to)
  while (sink.take() !== undefined);
  const sentAt = new Float64Array(count)
  const taken: number[] = []
  const start = performance.now()
  const end = start + seconds * 1000 + PATIENCE
  let next = 0
  for (let now = start; now < end && taken.length < count; now = performance.now()) {
    if (next < count && now >= start + (next * 1000) / perSecond) {
      shot.packet.writeUInt32LE(next, NUMBER_AT)
      sentAt[next++] = performance.now()
      shot.fire()
    }
    for (let packet = sink.take(); packet !== undefined; packet = sink.take()) {
      if (packet.length !== shot.packet.length) continue
      taken.push((performance.now() - (sentAt[packet.readUInt32LE(NUMBER_AT)] as number)) * 1000)
    }
  }
  return taken
}
