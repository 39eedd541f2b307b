import { duration } from '@showchain/client/core'
import { describe, expect, test } from 'vitest'
import { Simulation } from '../../src/index.ts'

function pair() {
  const sim = new Simulation('dgram')
  const alice = sim.host('alice', '192.0.2.1', '2001:db8::1')
  const bob = sim.host('bob', '192.0.2.2', '2001:db8::2')
  return { sim, alice, bob, pass: () => sim.advance(duration(1000)) }
}

describe('a socket as node:dgram has it', () => {
  test('binds, listens and takes messages with where they came from', () => {
    const { alice, bob, pass } = pair()
    const heard: unknown[] = []
    const socket = bob.dgram()
    socket.on('listening', () => heard.push(socket.address()))
    socket.on('message', (message, info) => heard.push([message.toString(), info]))
    socket.bind(7000)
    const from = alice.dgram().bind(4000)
    from.send('hello', 7000, '192.0.2.2')
    pass()
    expect(heard).toEqual([
      { address: '192.0.2.2', port: 7000, family: 'IPv4' },
      ['hello', { address: '192.0.2.1', port: 4000, family: 'IPv4', size: 5 }],
    ])
  })

  test('sends whatever Node sends, and tells when it has', () => {
    const { alice, bob, pass } = pair()
    const heard: string[] = []
    const [from, to] = [alice.dgram(), bob.dgram()]
    to.bind(7000).on('message', (message) => heard.push(message.toString()))
    from.send(Buffer.from('xhellox'), 1, 5, 7000, '192.0.2.2')
    from.send(['he', Buffer.from('llo')], 7000, '192.0.2.2', () => heard.push('sent'))
    from.send(new Uint8Array([0x68, 0x69]), 7000, '192.0.2.2')
    pass()
    expect(heard).toEqual(['sent', 'hello', 'hello', 'hi'])
  })

  test('of IPv6 hears and says nothing of IPv4', () => {
    const { alice, bob, pass } = pair()
    const heard: string[] = []
    bob
      .dgram('udp6')
      .on('message', (message, { address, family }) => heard.push(`${message} ${address} ${family}`))
      .bind(7000)
    alice.dgram().send('four', 7000, '192.0.2.2')
    alice.dgram('udp6').send('six', 7000, '2001:db8::2')
    pass()
    expect(heard).toEqual(['six 2001:db8::1 IPv6'])
  })

  test('that is connected sends without an address, and hears nobody else', () => {
    const { sim, alice, bob, pass } = pair()
    const heard: string[] = []
    const server = bob.dgram()
    server.bind({ port: 7000 }).on('message', (message, { port, address }) => server.send(`${message}!`, port, address))
    const client = alice.dgram()
    client.on('message', (message) => heard.push(message.toString()))
    client.connect(7000, '192.0.2.2', () => client.send('hello'))
    pass()
    sim.host('mallory', '192.0.2.3').dgram().send('boo', client.address().port, '192.0.2.1')
    pass()
    expect(heard).toEqual(['hello!'])
    expect(client.remoteAddress()).toMatchObject({ address: '192.0.2.2', port: 7000 })
    client.disconnect()
    expect(() => client.send('hello')).toThrow()
  })

  test('that is closed says so, and is closed', () => {
    const { alice, pass } = pair()
    const heard: string[] = []
    const socket = alice.dgram().bind(4000, () => heard.push('listening'))
    socket.close(() => heard.push('closed'))
    pass()
    expect(heard).toEqual(['listening', 'closed'])
    expect(() => socket.send('late', 7000, '192.0.2.2')).toThrow(
      expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' }),
    )
    expect(alice.openSockets).toBe(0)
  })

  test('says what is not simulated', () => {
    const { alice } = pair()
    expect(() => alice.dgram().addMembership('224.0.0.1')).toThrow('socket.addMembership is not simulated.')
  })
})
