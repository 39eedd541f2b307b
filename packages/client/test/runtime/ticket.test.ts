/** Which relays a peer names in its ticket. */
import { generateIdentity } from '@showchain/crypto'
import { formatTicket, parseTicket } from '@showchain/wire'
import { expect, onTestFinished, test } from 'vitest'
import { Peer } from '../../src/index.ts'

/** Nobody listens there. */
async function relayAt(host: string): Promise<{ readonly id: string; readonly ticket: string }> {
  const { id } = await generateIdentity()
  return { id, ticket: formatTicket({ id, relays: [], addresses: [{ host, port: 9 }] }) }
}

test('names every relay that has not failed, in the order of the configuration', async () => {
  const [first, elsewhere, second] = await Promise.all(['127.0.0.2', '2001:db8::9', '127.0.0.3'].map(relayAt))
  const peer = await Peer.open({
    identity: await generateIdentity(),
    relays: [first, elsewhere, second].map((relay) => relay?.ticket as string),
    listen: [{ host: '127.0.0.1', port: 0 }],
    addressPolicy: 'lab',
    plaintext: true,
  })
  onTestFinished(() => peer.close())
  // There is no IPv6 on this peer's sockets, so nobody reaches it through that one.
  expect(parseTicket(peer.ticket).relays.map(({ id }) => id)).toEqual([first?.id, second?.id])
})
