/** The peer of a page, as far as it needs no relay: its options, and what it runs on. */
import { describe, expect, test } from 'vitest'
import * as browser from '../../src/browser/index.ts'
import { browserRuntime } from '../../src/browser/runtime.ts'
import { Connection, Stream } from '../../src/index.ts'
import { checkPrimitives } from '../../src/runtime/index.ts'
import { isStandIn } from '../../src/runtime/stand-in.ts'

const { generateIdentity, identityFromPem, Peer } = browser

describe('a peer of a page', () => {
  test('opens, is nowhere, and has a ticket of its id alone', async () => {
    const identity = identityFromPem((await generateIdentity()).toPem())
    const peer = await Peer.open({ identity })
    expect(peer.id).toBe(identity.id)
    expect(peer.addresses).toEqual([])
    expect(peer.ticket).toBe(`showchain:${identity.id}`)
    expect(peer.inspect().socket.kind).toBe('none')
    await expect(peer.registered()).rejects.toMatchObject({ code: 'ERR_NO_PATH' })
    await peer.close()
  })

  test.each([
    ['listen', [{ port: 4400 }]],
    ['stunServers', []],
    ['announce', []],
    ['seedMode', true],
    ['runtime', browserRuntime],
    ['unheardOf', 1],
  ])('takes no option %s', async (name, value) => {
    const options = { identity: await generateIdentity(), [name]: value }
    await expect(Peer.open(options)).rejects.toMatchObject({
      code: 'ERR_BAD_CONFIG',
      message: expect.stringContaining(name),
    })
  })

  test.each([undefined, null, 1, 'text'])('refuses options that are %s', async (options) => {
    await expect(Peer.open(options as unknown as browser.PeerOptions)).rejects.toMatchObject({ code: 'ERR_BAD_CONFIG' })
  })

  test('gives the same classes as on Node', () => {
    expect([browser.Connection, browser.Stream]).toEqual([Connection, Stream])
  })
})

describe('what a page has', () => {
  test('is the cryptography of protected connections', () => {
    expect(() => checkPrimitives(browserRuntime)).not.toThrow()
  })

  test('is randomness of any length', () => {
    const { random } = browserRuntime
    expect([10, 4096, 4097, 70_000].map((length) => random.bytes(length).length)).toEqual([10, 4096, 4097, 70_000])
    expect(new Set(Array.from({ length: 100 }, () => random.uint32())).size).toBeGreaterThan(95)
  })

  test('is one address for each name, whatever its case, and each address as it is', async () => {
    const at = async (host: string): Promise<string | undefined> =>
      (await browserRuntime.resolve({ host, port: 1 }))[0]?.ip
    const [name, same, other] = [await at('relay.example'), await at('Relay.Example'), await at('relay.example.org')]
    expect(same).toBe(name)
    expect(other).not.toBe(name)
    expect([name, other].map((ip) => isStandIn(ip ?? ''))).toEqual([true, true])
    expect([await at('192.0.2.1'), await at('[2001:20::1]')]).toEqual(['192.0.2.1', expect.anything()])
    expect(['192.0.2.1', '2001:db8::1', '2001:30::1', 'text'].map(isStandIn)).toEqual([false, false, false, false])
  })
})
