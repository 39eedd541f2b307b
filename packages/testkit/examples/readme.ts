import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { Internet, ms, nat } from '@showchain/testkit'

// Your program, unchanged: a server that introduces clients to each other, and clients that say hello.
function serve(): void {
  const clients: { address: string; port: number }[] = []
  const socket = createSocket('udp4').bind(7000)
  socket.on('message', (_join, from) => {
    for (const other of clients) {
      socket.send(`${other.port} ${other.address}`, from.port, from.address)
      socket.send(`${from.port} ${from.address}`, other.port, other.address)
    }
    clients.push(from)
  })
}
async function greet(server: string): Promise<boolean> {
  const socket = createSocket('udp4')
  socket.on('message', async (introduction, from) => {
    if (from.address !== server) return
    const [port, ip] = introduction.toString().split(' ')
    for (let tries = 0; tries < 3; tries++) {
      socket.send('hello', Number(port), ip)
      await setTimeout(1000)
    }
  })
  socket.send('join', 7000, server)
  const signal = AbortSignal.timeout(10_000)
  const isHello = ([message]: unknown[]): boolean => String(message) === 'hello'
  try {
    while (!isHello(await once(socket, 'message', { signal })));
    return true
  } catch {
    return false // in ten seconds nobody said hello
  }
}

// Run it behind pairs of NATs: full cone, restricted cone, port-restricted cone, symmetric.
for (const [ours, theirs] of [
  ['T1', 'T4'],
  ['T2', 'T3'],
  ['T3', 'T4'],
  ['T4', 'T4'],
] as const) {
  let hellos = 0
  const internet = await Internet.run('any seed', { latency: ms(40) }, async (it) => {
    const server = it.host('server')
    const alice = it.host('alice', { behind: it.router({ nat: nat[ours]() }) })
    const bob = it.host('bob', { behind: it.router({ nat: nat[theirs]() }) })
    server.run(serve)
    const greeted = [alice, bob].map((host) => host.run(() => greet(server.ips[0] as string)))
    hellos = (await Promise.all(greeted)).filter(Boolean).length // ten seconds pass at once
  })
  console.log(
    `${ours} and ${theirs}: ${hellos} of 2 arrived; ${internet.timeline().split('\n').length} lines to see why`,
  )
}
