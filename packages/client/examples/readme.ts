import { generateIdentity, Peer } from '@showchain/client'

// Two peers on one host. On the internet, omit `local` and set `relays: [relayTicket]` for both.
const local = { listen: [{ host: '127.0.0.1' }], addressPolicy: 'lab' } as const
await using bob = await Peer.open({ identity: await generateIdentity(), ...local })
await using alice = await Peer.open({ identity: await generateIdentity(), ...local })

// Alice connects with the ticket that Bob sent her, and writes to a stream.
const toBob = await alice.connect(bob.ticket)
const question = await toBob.openStream()
await question.write(new TextEncoder().encode('hello Bob'))
const asked = question.end() // resolves when Bob has acknowledged everything

// Bob accepts the first connection, and the first stream on it.
const { value: fromAlice } = await bob.incoming.next()
for await (const { readable } of fromAlice?.streams ?? []) {
  for await (const bytes of readable) console.log(new TextDecoder().decode(bytes), 'came', fromAlice?.path.kind) // hello Bob came direct
  break
}
await asked
