import { type Connection, generateIdentity, Peer } from '@showchain/client'

const local = { listen: [{ host: '127.0.0.1' }], addressPolicy: 'lab' } as const
const protocols = ['chat/1', 'clock/1']
await using bob = await Peer.open({ identity: await generateIdentity(), protocols, ...local })
await using alice = await Peer.open({ identity: await generateIdentity(), ...local })

// Two parts of Bob's program, of which neither sees the streams of the other.
async function serve(connection: Connection, protocol: string, answer: () => string) {
  const stream = await connection.acceptStream({ protocol })
  await stream.write(new TextEncoder().encode(answer()))
  await stream.end()
}
const toBob = await alice.connect(bob.ticket)
const { value: fromAlice } = await bob.incoming.next()
const serving = [serve(fromAlice, 'chat/1', () => 'hello'), serve(fromAlice, 'clock/1', () => new Date().toISOString())]

for (const protocol of protocols) {
  const stream = await toBob.openStream({ protocol })
  for await (const bytes of stream.readable) console.log(protocol, new TextDecoder().decode(bytes))
  await stream.end()
}
await Promise.all(serving)
