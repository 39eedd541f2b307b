/** A ticket comes from a stranger: what it makes a peer send, where to, and for how long. */
import type { Peer } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { type Address, formatTicket, type Ticket } from '@showchain/wire'
import { describe, expect, test } from 'vitest'
import { type Host, Internet, nat, type PeerPlace } from '../../src/index.ts'
import { failureOf } from './bed.ts'

/** Addresses that nobody on the internet can be reached at, one of each kind. */
const FORBIDDEN = [
  '127.0.0.9',
  '10.1.2.3',
  '192.168.7.7',
  '172.16.0.9',
  '100.64.0.1',
  '169.254.1.1',
  '192.0.2.1',
  '198.18.0.1',
  '224.0.0.251',
  '255.255.255.255',
  '0.0.0.0',
  '240.0.0.1',
  '::1',
  'fd00::1',
  'fec0::1',
  '2001:db8::1',
  'ff02::1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::1',
  '2001:0:1::1',
  '100::1',
]

interface Caller {
  readonly peer: Peer
  readonly host: Host
  /** Where its packets went, beside its own relays. */
  readonly sentTo: Set<string>
}

async function caller(internet: Internet, options: Partial<PeerPlace> = {}): Promise<Caller> {
  const host = internet.host('caller')
  const sentTo = new Set<string>()
  const { network } = internet.sim
  network.filter = ({ source, destination }) => {
    if (host.ips.includes(source.ip)) sentTo.add(destination.ip)
    return true
  }
  const peer = await internet.peer({ name: 'caller', host, ...options })
  sentTo.clear()
  return { peer, host, sentTo }
}

const ticket = (internet: Internet, routes: Partial<Ticket>): string =>
  formatTicket({ id: internet.sim.identity('stranger').id, relays: [], addresses: [], ...routes })

describe('a ticket', () => {
  test('with addresses that the policy forbids makes nobody send there, and the error names them', () =>
    Internet.run('forbidden addresses', { latency: duration(10) }, async (internet) => {
      const { peer, sentTo } = await caller(internet)
      for (const host of FORBIDDEN) {
        const failure = await failureOf(peer.connect(ticket(internet, { addresses: [{ host, port: 4400 }] })))
        expect([host, failure.code]).toEqual([host, 'ERR_NO_PATH'])
        if (!host.includes(':'))
          expect(failure.message).toContain(`The address policy forbids ${host}:4400 ("internet").`)
      }
      expect([...sentTo]).toEqual([])
    }))

  test('whose relay is at such an address makes nobody register there', () =>
    Internet.run('forbidden relays', { latency: duration(10) }, async (internet) => {
      const { peer, sentTo } = await caller(internet)
      for (const host of FORBIDDEN) {
        const address: Address = { host, port: 4400 }
        const relays = [{ id: internet.sim.identity('no relay').id, address }]
        const failure = await failureOf(peer.connect(ticket(internet, { relays })))
        expect([host, failure.code]).toEqual([host, 'ERR_NO_PATH'])
      }
      expect([...sentTo]).toEqual([])
    }))

  test('with a name that leads there does not either', () =>
    Internet.run('forbidden names', { latency: duration(10) }, async (internet) => {
      const { peer, sentTo } = await caller(internet)
      internet.sim.names.set('rebound.example', '127.0.0.1')
      const addresses = [{ host: 'rebound.example', port: 4400 }]
      expect((await failureOf(peer.connect(ticket(internet, { addresses })))).code).toBe('ERR_NO_PATH')
      expect([...sentTo]).toEqual([])
    }))

  test.each([
    ['lan', '192.168.7.7', true],
    ['lan', '127.0.0.9', false],
    ['lab', '127.0.0.9', true],
    ['lab', '192.0.2.1', true],
    ['lab', '224.0.0.251', false],
  ] as const)('under the policy %s may name %s: %s', async (addressPolicy, host, allowed) => {
    await Internet.run(`${addressPolicy} ${host}`, { latency: duration(10) }, async (internet) => {
      const { peer } = await caller(internet, { addressPolicy })
      const failure = await failureOf(peer.connect(ticket(internet, { addresses: [{ host, port: 4400 }] })))
      expect(failure.code).toBe(allowed ? 'ERR_CONNECT_FAILED' : 'ERR_NO_PATH')
    })
  })
})

describe('a dial that failed', () => {
  test('leaves nothing that goes on sending to the relays of its ticket', () =>
    Internet.run('silent relay', { latency: duration(10) }, async (internet) => {
      const { peer, sentTo } = await caller(internet)
      const address = { host: internet.host('silent').ips[0] as string, port: 4400 }
      const relays = [{ id: internet.sim.identity('silent').id, address }]
      expect((await failureOf(peer.connect(ticket(internet, { relays })))).code).toBe('ERR_CONNECT_FAILED')
      expect([...sentTo]).toContain(address.host)
      sentTo.clear()
      await internet.wait(duration(120_000))
      expect([...sentTo]).not.toContain(address.host)
    }))

  test('that was aborted or timed out neither', () =>
    Internet.run('aborted', { latency: duration(10) }, async (internet) => {
      const { peer, sentTo } = await caller(internet)
      const address = { host: internet.host('silent').ips[0] as string, port: 4400 }
      const relays = [{ id: internet.sim.identity('silent').id, address }]
      const to = ticket(internet, { relays })
      await failureOf(peer.connect(to, { timeout: 500 }))
      const controller = new AbortController()
      const aborted = failureOf(peer.connect(to, { signal: controller.signal }))
      await internet.wait(duration(300))
      controller.abort()
      await aborted
      sentTo.clear()
      await internet.wait(duration(120_000))
      expect([...sentTo]).not.toContain(address.host)
    }))
})

test('a relay that only a ticket named is kept while the connection lives, and left after it', () =>
  Internet.run('borrowed relay', { latency: duration(10) }, async (internet) => {
    const relay = await internet.relay()
    const callee = await internet.peer({ name: 'callee', behind: nat.T4() })
    const { peer, sentTo } = await caller(internet, { relays: [] })
    const connection = await peer.connect(callee.ticket, { via: 'relay-only' })
    await internet.wait(duration(60_000))
    expect(relay.machine.stats().bindings).toBe(2)
    await connection.close()
    sentTo.clear()
    await internet.wait(duration(120_000))
    expect([...sentTo]).toEqual([])
    expect(relay.machine.stats().bindings).toBe(1)
  }))
