/** What connections that are idle take of a process: memory, and time of the processor. */
import { setTimeout as pause } from 'node:timers/promises'
import { Child } from './child.ts'
import type { ConnectionsRequest } from './connections-process.ts'
import type { Usage } from './crowd.ts'
import type { Effort } from './effort.ts'
import { type FigureTable, figure } from './figures.ts'

const MIB = 2 ** 20
/** What a new connection still has to do is over by then, in ms. */
const SETTLING = 3000

export interface Idle {
  readonly connections: number
  readonly usage: Usage
  /** Of a core. */
  readonly share: number
}

export async function connections({ connectionCounts, idleSeconds }: Effort): Promise<FigureTable> {
  const [holder, dialers] = [
    new Child('./connections-process.js', ['--expose-gc']),
    new Child('./connections-process.js'),
  ]
  const ask = <Result>(child: Child, request: ConnectionsRequest): Promise<Result> => child.ask<Result>(request)
  try {
    const to = await ask<string>(holder, { type: 'hold' })
    const found: Idle[] = []
    let open = 0
    for (const count of connectionCounts) {
      await ask(dialers, { type: 'dial', count: count - open, to })
      open = count
      await pause(SETTLING)
      const cpu = await ask<number>(holder, { type: 'cpu' })
      await pause(idleSeconds * 1000)
      const share = ((await ask<number>(holder, { type: 'cpu' })) - cpu) / idleSeconds
      const usage = await ask<Usage & { readonly connections: number }>(holder, { type: 'usage' })
      if (usage.connections !== count)
        throw new Error(`The process holds ${usage.connections} of ${count} connections.`)
      found.push({ connections: count, usage, share })
    }
    return connectionsTable(found)
  } finally {
    await Promise.all([holder.stop(), dialers.stop()])
  }
}

/** @param found the fewest first: what those take is what the process takes */
export function connectionsTable(found: readonly Idle[]): FigureTable {
  const [first] = found as readonly [Idle, ...Idle[]]
  return {
    title: 'A process with idle connections',
    columns: ['what', 'resident', 'in use', 'each more', 'of a core', 'of a core, each'],
    rows: found.map(({ connections: count, usage, share }) => ({
      name: count === 1 ? '1 connection' : `${count.toLocaleString('en')} connections`,
      cells: [
        figure([usage.rss / MIB], 'MiB'),
        figure([usage.used / MIB], 'MiB'),
        count === first.connections
          ? ''
          : figure([(usage.used - first.usage.used) / (count - first.connections)], 'bytes'),
        figure([100 * share], '%'),
        figure([(100 * share) / count], '%'),
      ],
    })),
    notes: ['Encrypted, direct, each with a peer of its own in another process. In use: after a collection.'],
  }
}
