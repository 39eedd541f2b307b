/** A WebSocket connection that the system refuses at once, such as one to IPv6 on a host that has none. */
import { expect, test } from 'vitest'
import { WebSocketCarrier } from '../../src/runtime/websocket/websocket.ts'

test('fails in one sentence, and nothing is thrown that nobody catches', async () => {
  // No host connects to all hosts by TCP.
  const endpoint = { ip: '255.255.255.255', port: 9 }
  const why = await new Promise<string>((resolve) => {
    new WebSocketCarrier({ url: 'wss://relay.example', endpoint }, resolve)
  })
  expect(why).toMatch(/255\.255\.255\.255/)
})
