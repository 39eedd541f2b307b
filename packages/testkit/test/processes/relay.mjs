// A relay as a process of its own: commands and events over IPC.
import { identityFromPem, publicKeyFromPem } from '@showchain/crypto'
import { Relay } from '@showchain/server/runtime'

process.on('message', async ({ identity, knownKeys = [], host, port }) => {
  const relay = await Relay.open({
    identity: identityFromPem(identity),
    knownKeys: knownKeys.map(publicKeyFromPem),
    listen: [{ host, port }],
  })
  process.send?.({ type: 'opened', ticket: relay.ticket, port: relay.addresses[0].port })
})
process.once('disconnect', () => process.exit())
