// HTTP over streams. `node http.mjs` serves and prints a ticket; `node http.mjs TICKET [PATH]` gets a path.
import { createServer, request } from 'node:http'
import process from 'node:process'
import { pipeline } from 'node:stream/promises'
import { generateIdentity, Peer, toDuplex } from '@showchain/client'

// With the ticket of a relay in SHOWCHAIN_RELAY it works from anywhere, without one on this host.
const relay = process.env.SHOWCHAIN_RELAY
/** @type {Partial<import('@showchain/client').PeerOptions>} */
const where = relay ? { relays: [relay] } : { listen: [{ host: '127.0.0.1' }], addressPolicy: 'lab' }
const peer = await Peer.open({ identity: await generateIdentity(), protocols: ['http/1.1'], ...where })
const [ticket, path = '/'] = process.argv.slice(2)

if (ticket === undefined) {
  const server = createServer((asked, answer) => {
    answer.setHeader('content-type', 'text/plain')
    answer.end(`${asked.method} ${asked.url}\n`)
  })
  if (relay) await peer.registered()
  console.log(peer.ticket)
  for await (const connection of peer.incoming) serve(server, connection).catch(({ message }) => console.error(message))
} else {
  const connection = await peer.connect(ticket)
  const stream = await connection.openStream({ protocol: 'http/1.1' })
  const asking = request({ path, host: 'peer', createConnection: () => toDuplex(stream) })
  asking.end()
  /** @type {import('node:http').IncomingMessage} */
  const answer = await new Promise((resolve, reject) => asking.on('response', resolve).on('error', reject))
  console.log(answer.statusCode)
  await pipeline(answer, process.stdout)
  await peer.close()
}

/** Each stream is a connection to the server. */
async function serve(
  /** @type {import('node:http').Server} */ server,
  /** @type {import('@showchain/client').Connection} */ connection,
) {
  while (connection.end === undefined)
    server.emit('connection', toDuplex(await connection.acceptStream({ protocol: 'http/1.1' })))
}
