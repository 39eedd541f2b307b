import { generateIdentity } from '@showchain/crypto'
import { Relay } from '@showchain/server/runtime'

const relay = await Relay.open({
  identity: await generateIdentity(), // in life: loadIdentity('relay.pem')
  listen: [{ host: '127.0.0.1', port: 0 }], // in life: 0.0.0.0 and :: with a port of your choice
})
console.log(relay.ticket) // showchain:<id>?addr=127.0.0.1:<port>: give this to peers
console.log(`${relay.stats().bindings} peers registered`)
await relay.drain()
