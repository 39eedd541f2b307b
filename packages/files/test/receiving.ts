/** A receiver that has nothing yet and takes what comes, in memory. */
import { keyOf, type ReceiverEvent, ReceiverMachine } from '../src/core/index.ts'
import { newHash, sha256 } from './sha256.ts'
import { joined } from './tree.ts'

export interface Received {
  /** What happened, as text: type and path. */
  readonly events: readonly string[]
  /** Files whose hash was that of what came. */
  readonly files: Readonly<Record<string, string>>
  /** The last event that ends it. */
  readonly over: ReceiverEvent | undefined
}

/** @param pieces of the sender's stream, which then ends */
export function received(pieces: Iterable<Uint8Array>): Received {
  const machine = new ReceiverMachine(newHash)
  const events: string[] = []
  const files: Record<string, string> = {}
  let parts: Uint8Array[] = []
  let over: ReceiverEvent | undefined
  const take = (event: ReceiverEvent): void => {
    if (event.type === 'data') return void parts.push(event.bytes)
    events.push('entry' in event ? `${event.type} ${keyOf(event.entry.path)}` : event.type)
    if (event.type === 'offer') machine.accept()
    if (event.type === 'file') machine.want({ position: 0, hash: undefined })
    if (event.type === 'content') parts = []
    if (event.type === 'complete') {
      const whole = joined(parts)
      if (Buffer.from(sha256(whole)).equals(event.hash)) files[keyOf(event.entry.path)] = Buffer.from(whole).toString()
    }
    if (event.type === 'end' || event.type === 'text') machine.done()
    if (['end', 'text', 'stopped', 'fault'].includes(event.type)) over = event
  }
  for (const piece of pieces) {
    machine.receive(piece)
    for (let event = machine.next(); event !== undefined; event = machine.next()) take(event)
  }
  const last = machine.ended()
  if (last !== undefined) take(last)
  return { events, files, over }
}
