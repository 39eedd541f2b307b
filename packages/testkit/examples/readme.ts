import { duration } from '@showchain/client/core'
import { Simulation } from '@showchain/testkit'
import { encode, OP } from '@showchain/wire'

const simulation = await Simulation.run('any seed', (sim) => {
  sim.network.conditions = { latency: duration(20), jitter: duration(30), loss: 0.2 }
  const alice = sim.host('alice', '192.0.2.1').socket()
  const bob = sim.host('bob', '198.51.100.7').socket(4000)
  bob.onDatagram(({ source, bytes }) => bob.send(source, bytes))

  const keepAlive = encode({ op_code: OP.keepAlive, id: sim.identity('alice').id, seq: 0, ts: 0 }, 'binary')
  for (let sent = 0; sent < 5; sent++) {
    alice.send({ ip: '198.51.100.7', port: 4000 }, keepAlive)
    sim.advance(duration(15_000))
  }
})

console.log(simulation.timeline.format()) // the same lines, whenever it runs
