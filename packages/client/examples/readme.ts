import { Peer } from '@showchain/client'
import { generateIdentity } from '@showchain/crypto'

// Two peers on one host. On the internet: leave `local` away, and give both `relays: [ticketOfARelay]`.
const local = { listen: [{ host: '127.0.0.1' }], addressPolicy: 'lab', plaintext: true } as const
await using bob = await Peer.open({ identity: await generateIdentity(), ...local })
await using alice = await Peer.open({ identity: await generateIdentity(), ...local })

// Alice connects with what Bob pasted to her, and says something.
const toBob = await alice.connect(bob.ticket)
await toBob.send(new TextEncoder().encode('hello Bob')) // resolves when Bob's side acknowledged it

// Bob takes the first connection and reads its first message.
const { value: fromAlice } = await bob.incoming.next()
for await (const message of fromAlice ?? []) {
  console.log(new TextDecoder().decode(message), 'came', fromAlice?.path.kind) // hello Bob came direct
  break
}
