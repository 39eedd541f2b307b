/** A peer that finds another by its id alone: `island-process.js ID`. It says how many seconds the dial took. */
import { Peer } from '@showchain/client'
import { generateIdentity } from '@showchain/crypto'

const [id] = process.argv.slice(2)
await using peer = await Peer.open({ identity: await generateIdentity(), accept: 'nobody', lanDiscovery: true })
const started = performance.now()
await using connection = await peer.connect(id as string)
const seconds = (performance.now() - started) / 1000
process.stdout.write(`${JSON.stringify({ event: 'dialled', seconds, path: connection.path })}\n`)
