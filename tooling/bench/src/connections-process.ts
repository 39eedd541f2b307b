/** A peer that holds connections, or the many peers that dial it: each in a process of its own. */
import { type Connection, Peer } from '@showchain/client'
import { generateIdentity } from '@showchain/crypto'
import { inTurns } from './actors.ts'
import { serve } from './child.ts'
import { usage } from './crowd.ts'
import { cpuSeconds, LOOPBACK } from './loopback.ts'

export type ConnectionsRequest =
  | { readonly type: 'hold' | 'usage' | 'cpu' }
  /** From so many peers more. */
  | { readonly type: 'dial'; readonly count: number; readonly to: string }

const ATTEMPTS = 5
const held: Connection[] = []

const openPeer = async (): Promise<Peer> =>
  Peer.open({
    identity: await generateIdentity(),
    relays: [],
    listen: [{ host: LOOPBACK }],
    addressPolicy: 'lab',
  })

async function hold(): Promise<string> {
  const peer = await openPeer()
  void (async () => {
    for await (const connection of peer.incoming) held.push(connection)
  })()
  return peer.ticket
}

async function dial(count: number, to: string): Promise<void> {
  held.push(...(await inTurns(count, async () => connect(await openPeer(), to))))
}

/** So many at once may be more than the machine answers in time. */
async function connect(peer: Peer, to: string): Promise<Connection> {
  for (let attempt = 1; ; attempt++)
    try {
      return await peer.connect(to, { via: 'direct' })
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
    }
}

/** A dial that was made again may have opened the same connection twice, each time with a handle. */
function openConnections(): number {
  return new Set(held.flatMap(({ closedBecause, remoteId }) => (closedBecause === undefined ? [remoteId] : []))).size
}

function answer(request: ConnectionsRequest): unknown {
  switch (request.type) {
    case 'hold':
      return hold()
    case 'dial':
      return dial(request.count, request.to)
    case 'usage':
      return { ...usage(), connections: openConnections() }
    case 'cpu':
      return cpuSeconds()
  }
}

serve(answer)
