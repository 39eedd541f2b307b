// Echo. `node echo.mjs` prints a ticket and sends back what comes; `node echo.mjs TICKET` sends its input.
import process from 'node:process'
import { pipeline } from 'node:stream/promises'
import { generateIdentity, Peer, toDuplex } from '@showchain/client'

// With the ticket of a relay in SHOWCHAIN_RELAY it works from anywhere, without one on this host.
const relay = process.env.SHOWCHAIN_RELAY
/** @type {Partial<import('@showchain/client').PeerOptions>} */
const where = relay ? { relays: [relay] } : { listen: [{ host: '127.0.0.1' }], addressPolicy: 'lab' }
const peer = await Peer.open({ identity: await generateIdentity(), protocols: ['echo/1'], ...where })
const [ticket] = process.argv.slice(2)

if (ticket === undefined) {
  if (relay) await peer.registered()
  console.log(peer.ticket)
  for await (const connection of peer.incoming) serve(connection).catch(({ message }) => console.error(message))
} else {
  const connection = await peer.connect(ticket)
  const stream = await connection.openStream({ protocol: 'echo/1' })
  await pipeline(process.stdin, toDuplex(stream), process.stdout)
  await peer.close()
}

/** @param {import('@showchain/client').Connection} connection */
async function serve(connection) {
  while (connection.end === undefined) {
    const stream = await connection.acceptStream({ protocol: 'echo/1' })
    stream.readable.pipeTo(stream.writable).catch(({ message }) => console.error(message))
  }
}
