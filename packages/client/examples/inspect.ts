import { generateIdentity, Peer } from '@showchain/client'

const local = { listen: [{ host: '127.0.0.1' }], addressPolicy: 'lab' } as const
await using bob = await Peer.open({ identity: await generateIdentity(), ...local })
await using alice = await Peer.open({ identity: await generateIdentity(), ...local })
await alice.connect(bob.ticket)

const { relays, connections, timers } = alice.inspect()
for (const { remoteId, paths, statistics } of connections) {
  for (const { kind, at, use, state } of paths) console.log(remoteId, kind, at, use, state)
  console.log(statistics?.rtt, 'ms;', statistics?.lost, 'of', statistics?.sent, 'lost')
}
console.log(relays.length, 'relays;', timers.pending, 'timers, the first in', timers.nextIn, 'ms')
