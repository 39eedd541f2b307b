// A file drop. `node drop.mjs FOLDER` takes files into a folder and prints a ticket; `node drop.mjs
// TICKET FILE…` sends files and folders there. What was interrupted goes on where it was.
import process from 'node:process'
import { generateIdentity, Peer } from '@showchain/client'
import { FileSource, FolderTarget, receiveFiles, sendFiles, shownPath } from '@showchain/files'

// With the ticket of a relay in SHOWCHAIN_RELAY it works from anywhere, without one on this host.
const relay = process.env.SHOWCHAIN_RELAY
/** @type {Partial<import('@showchain/client').PeerOptions>} */
const where = relay ? { relays: [relay] } : { listen: [{ host: '127.0.0.1' }], addressPolicy: 'lab' }
const peer = await Peer.open({ identity: await generateIdentity(), protocols: ['drop/1'], ...where })
const [to = '.', ...files] = process.argv.slice(2)
const MOST = 10e9

if (files.length === 0) {
  if (relay) await peer.registered()
  console.log(peer.ticket)
  for await (const connection of peer.incoming) take(connection).catch(({ message }) => console.error(message))
} else {
  const source = await FileSource.of(files)
  const connection = await peer.connect(to, { reconnect: { attempts: 20 } })
  // A connection that is lost is dialled again; the transfer goes on where it was.
  for await (const each of connection) {
    try {
      await sendFiles(await each.openStream({ protocol: 'drop/1' }), source)
      console.log('sent')
      break
    } catch (error) {
      if (each.end?.by !== 'failure') throw error
    }
  }
  await connection.close()
  await peer.close()
}

/** @param {import('@showchain/client').Connection} connection */
async function take(connection) {
  while (connection.end === undefined) {
    const stream = await connection.acceptStream({ protocol: 'drop/1' })
    const target = await FolderTarget.in(to)
    await receiveFiles(stream, target, {
      accept: ({ names, bytes }) => {
        console.log(`${names.map(shownPath).join(', ')}: ${bytes} bytes`)
        return bytes <= MOST
      },
    })
    console.log('received')
  }
}
