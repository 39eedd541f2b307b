import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Internet, ms, nat } from '@showchain/testkit'

const internet = await Internet.run('any seed', { latency: ms(30), loss: 0.05 }, async (it) => {
  const relay = await it.relay()
  const home = it.router({ name: 'home', nat: nat.T3() })
  const alice = await it.peer({ name: 'alice', behind: home })
  const bob = await it.peer({ name: 'bob', behind: nat.T2({ hairpin: true }) })

  const connection = await alice.connect(bob.ticket) // opens on the first path: through the relay
  it.until(() => connection.path.kind === 'direct') // and moves to a direct path
  home.reboot() // drops every mapping
  await relay.restart() // drops every binding and session
  await it.wait(ms(60_000))
  console.log(alice.nat?.type, connection.closedBecause ?? connection.path.kind) // T3 direct
})

console.log(internet.timeline(5))
await writeFile(join(tmpdir(), 'showchain-example.pcap'), internet.pcap()) // for Wireshark
