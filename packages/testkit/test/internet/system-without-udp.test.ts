/** Peers on a system that has no UDP at all, as in a browser: through relays, by WebSocket. */
import { Peer, type PeerOptions } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { noUdp, type Runtime, standInFor } from '@showchain/client/runtime'
import { canonicalIp, formatTicket, parseTicket, websocketUrl } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { type Host, Internet, nat, type SimRelay } from '../../src/index.ts'
import { connected, overOf, streams } from './over-relays.ts'

interface Scene {
  readonly internet: Internet
  readonly relay: SimRelay
  readonly page: Peer
  readonly other: Peer
  /** Opens another peer on such a system. */
  readonly open: (name: string, options?: Partial<PeerOptions>) => Promise<Peer>
}

/** Nothing but WebSocket; a name is looked up by who connects. */
function runtimeOf(internet: Internet, host: Host): Runtime {
  const system = internet.runtime(host)
  return {
    ...system,
    openSocket: async () => noUdp('a test'),
    resolve: async ({ host: name, port }) => [{ ip: canonicalIp(name) ?? standInFor(name, system.provider), port }],
    localAddresses: () => [],
  }
}

const play = (seed: string, scenario: (scene: Scene) => Promise<void>): Promise<unknown> =>
  Internet.run(seed, { latency: duration(10) }, async (internet) => {
    const relay = await internet.relay({ websocket: true })
    const opened: Peer[] = []
    const open: Scene['open'] = async (name, options) => {
      const runtime = runtimeOf(internet, internet.host(name))
      const identity = internet.sim.identity(name)
      const peer = await Peer.open({ identity, relays: [relay.ticket], runtime, ...options })
      opened.push(peer)
      return peer
    }
    const page = await open('page')
    await page.registered()
    const other = await internet.peer({
      name: 'other',
      host: internet.host('other', { behind: internet.router({ nat: nat.T3() }) }),
    })
    await scenario({ internet, relay, page, other, open })
    for (const peer of opened) await peer.close()
  })

describe('a peer on a system without UDP', () => {
  test('registers at once by WebSocket, connects and is connected to, and sends no packet', async () => {
    await play('no udp', async ({ internet, page, other, open }) => {
      expect(overOf(page)).toBe('websocket')
      const second = await open('second page')
      for (const [from, to] of [
        [page, other],
        [other, second],
        [second, page],
      ] as const) {
        const [ours, theirs] = await connected(from, to)
        await streams(ours, theirs, async () => {})
        expect([ours.path.kind, theirs.path.kind]).toEqual(['relay', 'relay'])
      }
      await internet.wait(duration(120_000))
      const { entries } = internet.sim.timeline
      expect(entries.filter((entry) => entry.type === 'packet' && entry.from.includes('page'))).toEqual([])
      // Nobody looks for it.
      const own = new Set(internet.relays.flatMap(({ ips }) => [...ips]))
      const sent = entries.flatMap((entry) =>
        entry.type === 'packet' && entry.from === 'other' ? [entry.packet.destination.ip] : [],
      )
      expect(sent.filter((ip) => !own.has(ip))).toEqual([])
      expect(page.addresses).toEqual([])
      expect(parseTicket(page.ticket).addresses).toEqual([])
    })
  })

  test('is registered within two of its round trips: it does not wait for UDP', async () => {
    await play('soon', async ({ internet, open }) => {
      const start = internet.sim.clock.now()
      const peer = await open('soon')
      await peer.registered()
      // WEBSOCKET_AFTER alone is 1,500 ms.
      expect(internet.sim.clock.now() - start).toBeLessThan(500)
    })
  })

  test('goes on when its only relay restarts, and no byte is lost', async () => {
    await play('restart', async ({ internet, relay, page, other }) => {
      const [ours, theirs] = await connected(page, other)
      await streams(ours, theirs, async () => {
        await relay.kill()
        await internet.wait(duration(2000))
        relay.start()
        await internet.wait(duration(10_000))
        expect(overOf(page)).toBe('websocket')
      })
      await streams(theirs, ours, async () => {})
    })
  })

  test('reaches relays by names that it cannot look up', async () => {
    await play('names', async ({ internet, relay, other, open }) => {
      const name = 'relay.example'
      const sockets = internet.sim.websockets.get(websocketUrl(relay.endpoint.ip))
      if (sockets === undefined) throw new Error('The relay takes no connections.')
      internet.sim.websockets.set(websocketUrl(name), sockets)
      const { id } = relay.identity
      const relayTicket = formatTicket({ id, relays: [], addresses: [{ host: name, port: 3478 }] })
      const named = await open('named', { relays: [relayTicket] })
      await named.registered()
      expect(parseTicket(named.ticket).relays).toMatchObject([{ address: { host: name } }])
      // Of a relay that a ticket names, too, whatever the address policy.
      const guest = await open('guest', { relays: [] })
      const [ours, theirs] = await connected(guest, named)
      await streams(ours, theirs, async () => {})
      expect(other.id).not.toBe(guest.id)
      internet.sim.websockets.delete(websocketUrl(name))
    })
  })

  test('does not go where the address policy forbids, and says when there is no relay', async () => {
    await play('policy', async ({ page, other, relay }) => {
      const { id } = other
      const address = { host: '127.0.0.1', port: 443 }
      const local = { id, relays: [{ id: relay.identity.id, address }], addresses: [] }
      await expect(page.connect(local)).rejects.toMatchObject({
        code: 'ERR_NO_PATH',
        message: expect.stringContaining('127.0.0.1:443'),
      })
      await expect(page.connect({ id, relays: [], addresses: [address] })).rejects.toMatchObject({
        code: 'ERR_NO_PATH',
      })
      await expect(page.connect(other.ticket, { via: 'direct-only' })).rejects.toMatchObject({
        code: 'ERR_CONNECT_FAILED',
      })
    })
  })

  test('that has no WebSocket either says so', async () => {
    await play('nothing', async ({ internet, relay }) => {
      const { openWebSocket: _none, ...runtime } = runtimeOf(internet, internet.host('nothing'))
      const identity = internet.sim.identity('nothing')
      await using peer = await Peer.open({ identity, relays: [relay.ticket], runtime })
      await expect(peer.registered()).rejects.toMatchObject({ message: expect.stringContaining('no UDP') })
    })
  })
})
