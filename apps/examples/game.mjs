// State of a game by datagrams: each player tells its position 20 times a second. What is lost or late is
// no longer true, so that nobody waits for it. `node game.mjs NAME [TICKET]`.
import process from 'node:process'
import { setTimeout } from 'node:timers/promises'
import { generateIdentity, Peer } from '@showchain/client'

// With the ticket of a relay in SHOWCHAIN_RELAY it works from anywhere, without one on this host.
const relay = process.env.SHOWCHAIN_RELAY
/** @type {Partial<import('@showchain/client').PeerOptions>} */
const where = relay ? { relays: [relay] } : { listen: [{ host: '127.0.0.1' }], addressPolicy: 'lab' }
const peer = await Peer.open({ identity: await generateIdentity(), ...where })
const [name = 'player', ticket] = process.argv.slice(2)
const TICK = 50
const TICKS = 40

if (ticket === undefined) {
  if (relay) await peer.registered()
  console.log(peer.ticket)
  for await (const connection of peer.incoming) void play(connection)
} else {
  await play(await peer.connect(ticket))
  await peer.close()
}

/** @param {import('@showchain/client').Connection} connection */
async function play(connection) {
  const watching = watch(connection)
  for (let tick = 0; tick < TICKS && connection.end === undefined; tick++) {
    const angle = (2 * Math.PI * tick) / TICKS
    const state = { tick, x: Math.round(100 * Math.cos(angle)), y: Math.round(100 * Math.sin(angle)) }
    // It rejects when too many wait, or the connection has ended: the next state says it all.
    connection.sendDatagram(new TextEncoder().encode(JSON.stringify(state))).catch(() => {})
    await setTimeout(TICK)
  }
  if (ticket !== undefined) await connection.close()
  await watching
}

/** @param {import('@showchain/client').Connection} connection */
async function watch(connection) {
  let newest = -1
  for await (const bytes of connection) {
    // Somebody else wrote it.
    const { tick, x, y } = JSON.parse(new TextDecoder().decode(bytes))
    if (![tick, x, y].every(Number.isFinite) || tick <= newest) continue
    newest = tick
    console.log(`${name} sees the other at ${x}, ${y}`)
  }
  console.log(`${name}: the other has left after tick ${newest}`)
}
