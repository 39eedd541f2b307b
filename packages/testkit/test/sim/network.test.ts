import { type Datagram, duration } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import { type PacketEntry, Simulation } from '../../src/index.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const at = (ip: string, port = 4000) => ({ ip, port })

/** Two hosts, one socket each, and what bob received when. */
function pair(seed: string) {
  const sim = new Simulation(seed)
  const [aliceHost, bobHost] = [sim.host('alice', '192.0.2.1', '2001:db8::1'), sim.host('bob', '192.0.2.2')]
  const [alice, bob] = [aliceHost.socket(4000), bobHost.socket(4000)]
  const received: { at: number; first: number | undefined; source: Datagram['source'] }[] = []
  bob.onDatagrams((batch) => {
    for (const { bytes, source } of batch) received.push({ at: sim.clock.now(), first: bytes[0], source })
  })
  return { sim, aliceHost, bobHost, alice, bob, received }
}

const fates = (sim: Simulation): string[] =>
  sim.timeline.entries.filter((entry): entry is PacketEntry => entry.type === 'packet').map(({ fate }) => fate)

describe('the virtual network', () => {
  test('a datagram arrives after the latency, from the address of its family', () => {
    const { sim, alice, received } = pair('latency')
    alice.send(at('192.0.2.2'), bytes(1))
    sim.advance(duration(1000))
    expect(received).toEqual([{ at: 10, first: 1, source: at('192.0.2.1') }])
  })

  test('a host that gathers gets what came within that time together, in order', () => {
    const { sim, alice, bob, bobHost } = pair('gathers')
    const batches: (readonly (number | undefined)[])[] = []
    bob.onDatagrams((batch) => batches.push([sim.clock.now(), ...batch.map(({ bytes: [first] }) => first)]))
    bobHost.gathers = duration(2)
    for (const [index, pause] of [0, 1, 5, 2].entries()) {
      sim.advance(duration(pause))
      alice.send(at('192.0.2.2'), bytes(index))
    }
    sim.advance(duration(1000))
    expect(batches).toEqual([
      [12, 0, 1],
      [18, 2, 3],
    ])
  })

  test('a socket that is closed while it gathers has no timer left', async () => {
    const { sim, alice, bob, bobHost, received } = pair('closed')
    bobHost.gathers = duration(5)
    alice.send(at('192.0.2.2'), bytes(1))
    sim.advance(duration(12))
    await bob.close()
    expect([sim.clock.step(), received]).toEqual([false, []])
  })

  test('the receiver has bytes of its own', () => {
    const { sim, alice, received } = pair('copy')
    const buffer = bytes(1)
    alice.send(at('192.0.2.2'), buffer)
    buffer[0] = 9
    sim.advance(duration(1000))
    expect(received[0]?.first).toBe(1)
  })

  test('what cannot arrive is told in the timeline', () => {
    const { sim, alice } = pair('nowhere')
    alice.send(at('192.0.2.99'), bytes(1))
    alice.send(at('192.0.2.2', 5), bytes(2))
    sim.network.filter = () => false
    alice.send(at('192.0.2.2'), bytes(3))
    sim.advance(duration(1000))
    expect(fates(sim)).toEqual(['unreachable', 'carried', 'filtered', 'unbound'])
    expect(sim.timeline.format(1)).toContain('192.0.2.1 → bob')
  })

  test('a family that the host has no address of loses the datagram', () => {
    const { sim, bob } = pair('family')
    bob.send(at('2001:db8::1'), bytes(1))
    expect(fates(sim)).toEqual([])
  })

  test('loss takes about the share that was asked for', () => {
    const { sim, alice, received } = pair('loss')
    sim.network.conditions = { loss: 0.25 }
    for (let i = 0; i < 4000; i++) alice.send(at('192.0.2.2'), bytes(1))
    sim.advance(duration(1000))
    expect(Math.abs(received.length - 3000)).toBeLessThan(150)
  })

  test('duplication delivers twice, reordering lets later datagrams overtake', () => {
    const { sim, alice, received } = pair('disorder')
    sim.network.conditions = { duplicate: 1 }
    alice.send(at('192.0.2.2'), bytes(1))
    sim.advance(duration(1000))
    expect(received).toHaveLength(2)
    sim.network.conditions = { duplicate: 0, reorder: 0.5 }
    for (let i = 0; i < 100; i++) alice.send(at('192.0.2.2'), bytes(i))
    sim.advance(duration(1000))
    const order = received.slice(2).map(({ first }) => first ?? 0)
    expect(order).toHaveLength(100)
    expect(order).not.toEqual([...order].sort((a, b) => a - b))
  })

  test('conditions between two stations count for both directions and for them only', () => {
    const { sim, aliceHost, bobHost, alice, bob, received } = pair('between')
    const carol = sim.host('carol', '192.0.2.3').socket(4000)
    sim.network.between(aliceHost, bobHost, { loss: 1 })
    alice.send(at('192.0.2.2'), bytes(1))
    bob.send(at('192.0.2.1'), bytes(2))
    carol.send(at('192.0.2.2'), bytes(3))
    sim.advance(duration(1000))
    expect(fates(sim)).toEqual(['lost', 'lost', 'carried'])
    expect(received.map(({ first }) => first)).toEqual([3])
  })

  test('a host that moves is reached at its new address only, through the same socket', () => {
    const { sim, bobHost, alice, received } = pair('move')
    alice.send(at('192.0.2.2'), bytes(1))
    bobHost.moveTo('192.0.2.20')
    alice.send(at('192.0.2.20'), bytes(2))
    sim.advance(duration(1000))
    expect(received.map(({ first }) => first)).toEqual([2])
    expect(fates(sim)).toEqual(['carried', 'carried', 'unreachable'])
  })

  test('an address has one owner, a port one socket, and a closed socket frees its port', async () => {
    const { sim, bobHost, bob, alice, received } = pair('owners')
    expect(() => sim.host('mallory', '192.0.2.1')).toThrow("alice's")
    expect(() => bobHost.socket(4000)).toThrow(expect.objectContaining({ code: 'ERR_ADDRESS_IN_USE' }))
    await bob.close()
    bob.send(at('192.0.2.1'), bytes(1))
    alice.send(at('192.0.2.2'), bytes(1))
    sim.advance(duration(1000))
    expect(received).toEqual([])
    expect(bobHost.socket(4000).localEndpoints).toEqual([at('192.0.2.2')])
    expect(bobHost.socket().localEndpoints).not.toEqual(bobHost.socket().localEndpoints)
  })
})
