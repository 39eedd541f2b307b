// Chat. `node chat.mjs NAME` opens a room and prints its ticket; `node chat.mjs NAME TICKET` enters it.
import process from 'node:process'
import { createInterface } from 'node:readline'
import { generateIdentity, Peer, toDuplex } from '@showchain/client'

// With the ticket of a relay in SHOWCHAIN_RELAY it works from anywhere, without one on this host.
const relay = process.env.SHOWCHAIN_RELAY
/** @type {Partial<import('@showchain/client').PeerOptions>} */
const where = relay ? { relays: [relay] } : { listen: [{ host: '127.0.0.1' }], addressPolicy: 'lab' }
const peer = await Peer.open({ identity: await generateIdentity(), protocols: ['chat/1'], ...where })
const [name = 'somebody', ticket] = process.argv.slice(2)
/** @type {Set<import('node:stream').Duplex>} */
const others = new Set()

if (ticket === undefined) {
  if (relay) await peer.registered()
  console.log(peer.ticket)
  void receive()
} else {
  const connection = await peer.connect(ticket)
  join(await connection.openStream({ protocol: 'chat/1' }))
  void connection.closed.then(({ reason }) => leave(reason))
  tell(`${name} is here`)
}
for await (const line of createInterface({ input: process.stdin })) tell(`${name}: ${line}`)
await leave('bye')

/** The room takes everybody who comes. */
async function receive() {
  for await (const connection of peer.incoming)
    connection.acceptStream({ protocol: 'chat/1' }).then(join, ({ message }) => console.error(message))
}

/** Prints what comes, and tells it to the others. @param {import('@showchain/client').Stream} stream */
function join(stream) {
  const duplex = toDuplex(stream)
  others.add(duplex)
  duplex.on('error', ({ message }) => console.error(message)).on('close', () => others.delete(duplex))
  createInterface({ input: duplex }).on('line', (line) => {
    // Somebody else wrote it: it must not reach the terminal as it is.
    console.log(line.replaceAll(/\p{C}/gu, '?'))
    tell(line, duplex)
  })
}

/** @param {string} line @param {import('node:stream').Duplex} [from] */
function tell(line, from) {
  for (const duplex of others) if (duplex !== from) duplex.write(`${line}\n`)
}

/** @param {string} why */
async function leave(why) {
  console.log(why)
  await Promise.all([...others].map((duplex) => new Promise((resolve) => duplex.end(resolve))))
  await peer.close()
  process.exit()
}
