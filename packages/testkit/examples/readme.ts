import type { Socket } from 'node:dgram'
import { Internet, ms, nat } from '@showchain/testkit'

// Your program, unchanged: a server that introduces two clients, and clients that say hello to each other.
function serve(socket: Socket): void {
  const clients: { address: string; port: number }[] = []
  socket.bind(7000).on('message', (_join, from) => {
    clients.push(from)
    const [a, b] = clients
    if (a === undefined || b === undefined) return
    socket.send(`${b.port} ${b.address}`, a.port, a.address)
    socket.send(`${a.port} ${a.address}`, b.port, b.address)
  })
}
function join(socket: Socket, server: string, hello: () => void): void {
  socket.on('message', (message, { address }) => {
    if (address !== server) return hello()
    const [port, ip] = message.toString().split(' ')
    socket.send('hello', Number(port), ip)
  })
  socket.send('join', 7000, server)
}

// Run it behind pairs of NATs: full cone, restricted cone, port-restricted cone, symmetric.
for (const [ours, theirs] of [
  ['T1', 'T4'],
  ['T2', 'T3'],
  ['T3', 'T4'],
  ['T4', 'T4'],
] as const) {
  let hellos = 0
  const internet = await Internet.run('any seed', { latency: ms(40) }, (it) => {
    const server = it.host('server')
    const alice = it.host('alice', { behind: it.router({ nat: nat[ours]() }) })
    const bob = it.host('bob', { behind: it.router({ nat: nat[theirs]() }) })
    serve(server.dgram())
    for (const host of [alice, bob]) join(host.dgram(), server.ips[0] as string, () => hellos++)
    it.advance(ms(60_000)) // one minute of virtual time
  })
  console.log(
    `${ours} and ${theirs}: ${hellos} of 2 arrived; ${internet.timeline().split('\n').length} lines to see why`,
  )
}
