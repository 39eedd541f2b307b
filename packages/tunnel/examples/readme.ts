import { createServer } from 'node:http'
import { Peer } from '@showchain/client'
import { generateIdentity } from '@showchain/crypto'
import { Forwarder, listenAt, TunnelServer, targetAt } from '@showchain/tunnel'

// A web server that only this host can reach, and two peers in one program; in practice each is one of its own.
const web = createServer((_request, response) => response.end('hello from behind the NAT\n')).listen(0, '127.0.0.1')
const local = { listen: [{ host: '127.0.0.1' }], addressPolicy: 'lab' } as const
await using bob = await Peer.open({ identity: await generateIdentity(), ...local })
await using alice = await Peer.open({ identity: await generateIdentity(), ...local })

// Bob serves it to those who have his ticket, and whom his `accept` lets in.
await using server = new TunnelServer(targetAt(`tcp://127.0.0.1:${Object(web.address()).port}`))
async function serve(): Promise<void> {
  for await (const connection of bob.incoming) void server.serve(connection)
}
void serve()

// Alice has it at a port of her own.
const dial = (signal: AbortSignal) => alice.connect(bob.ticket, { signal })
await using forwarder = await Forwarder.open(await listenAt('tcp://127.0.0.1:0'), dial)
const response = await fetch(forwarder.local.replace('tcp:', 'http:'))
console.log(await response.text()) // hello from behind the NAT
web.close().closeAllConnections()
