/** Many peers in one process: `crowd-process.js COUNT TICKET`; they open together when told to. */
import { once } from 'node:events'
import { Peer } from '@showchain/client'
import { generateIdentity } from '@showchain/crypto'

const [count, relay] = process.argv.slice(2)
const say = (event: string): void => void process.stdout.write(`${JSON.stringify({ event })}\n`)
const MINUTE = 60_000

const identities = await Promise.all(Array.from({ length: Number(count) }, () => generateIdentity()))
say('ready')
await once(process.stdin, 'data')
const open = identities.map((identity) =>
  Peer.open({ identity, relays: [relay as string], listen: [{ host: '0.0.0.0' }], addressPolicy: 'lab' }),
)
await Promise.all((await Promise.all(open)).map((peer) => registered(peer)))
say('registered')

/** A relay that is busy does not answer at once; a peer asks again by itself. */
async function registered(peer: Peer): Promise<void> {
  const deadline = AbortSignal.timeout(MINUTE)
  for (;;) {
    const done = await peer.registered({ signal: deadline }).then(
      () => true,
      (error: Error) => {
        if (deadline.aborted) throw error
        return false
      },
    )
    if (done) return
  }
}
