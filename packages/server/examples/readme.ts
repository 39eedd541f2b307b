import { generateIdentity } from '@showchain/crypto'
import { Relay } from '@showchain/server/runtime'

const relay = await Relay.open({
  identity: await generateIdentity(), // in practice: loadIdentity('relay.pem')
  listen: [{ host: '127.0.0.1', port: 0 }], // in practice: 0.0.0.0 and ::, with a fixed port
})
console.log(relay.ticket) // showchain:<id>?addr=127.0.0.1:<port>: give this to peers
console.log(`${relay.stats().bindings} peers registered`)
await relay.drain()
