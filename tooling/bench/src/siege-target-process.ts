/** The relay or the peer under siege: as anybody runs it, in a process of its own. */
import { Peer } from '@showchain/client'
import { generateIdentity } from '@showchain/crypto'
import { limitGarbage, Relay } from '@showchain/server/runtime'
import { serve } from './child.ts'
import { cpuSeconds, LOOPBACK } from './loopback.ts'

export type TargetRequest = { readonly type: 'relay' | 'peer' | 'usage' | 'close' }

export interface Target {
  readonly ticket: string
  readonly port: number
  readonly spki: Uint8Array
}

export interface TargetUsage {
  readonly cpuSeconds: number
}

let open: Relay | Peer | undefined

async function answer({ type }: TargetRequest): Promise<Target | TargetUsage | undefined> {
  // Without a collection: that would make the young generation small, and the flood would make it grow again.
  if (type === 'usage') return { cpuSeconds: cpuSeconds() }
  await open?.close()
  open = undefined
  if (type === 'close') return undefined
  const identity = await generateIdentity()
  if (type === 'relay') {
    // As the program does.
    limitGarbage()
    const relay = await Relay.open({ identity, listen: [{ host: LOOPBACK, port: 0 }] })
    open = relay
    return { ticket: relay.ticket, port: relay.addresses[0]?.port ?? 0, spki: identity.publicKey.spki }
  }
  const peer = await Peer.open({ identity, listen: [{ host: LOOPBACK }], addressPolicy: 'lab' })
  open = peer
  void echo(peer)
  return { ticket: peer.ticket, port: peer.addresses[0]?.port ?? 0, spki: identity.publicKey.spki }
}

/** Each datagram goes back on its connection. */
async function echo(peer: Peer): Promise<void> {
  for await (const connection of peer.incoming)
    void (async () => {
      for await (const bytes of connection) await connection.sendDatagram(bytes).catch(() => {})
    })()
}

serve(answer)
