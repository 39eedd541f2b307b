import { duration, later } from '@showchain/client/core'
import { describe, expect, test, vi } from 'vitest'
import { Internet } from '../../src/index.ts'

/** Plays a scenario and gives what was found at its end. */
async function findings(scenario: (internet: Internet) => void | Promise<void>): Promise<string> {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
  try {
    await Internet.run('leftovers', {}, scenario)
    return 'nothing'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  } finally {
    printed.mockRestore()
  }
}

describe('the end of a scenario finds', () => {
  test('nothing after peers that met', async () => {
    const found = await findings(async (it) => {
      await it.relay()
      const [alice, bob] = [await it.peer(), await it.peer()]
      await alice.connect(bob.ticket)
    })
    expect(found).toBe('nothing')
  })

  test('a timer that is still set, also one that is set again and again', async () => {
    const after = (it: Internet, ms: number, act: () => void): void =>
      void it.sim.clock.schedule(later(it.sim.clock.now(), duration(ms)), act)
    expect(await findings((it) => after(it, 5000, () => {}))).toMatch(/^a timer was still set/)
    const again = (it: Internet): void => after(it, 1000, () => again(it))
    expect(await findings(again)).toMatch(/^a timer was still set/)
  })

  test('a socket that is still open on the host of a peer', async () => {
    const found = await findings(async (it) => {
      const host = it.host('alice')
      await it.peer({ name: 'alice', host })
      host.socket()
    })
    expect(found).toBe('alice: 1 sockets stayed open')
  })

  test('nothing when packets are in flight while everything closes', async () => {
    const found = await findings(async (it) => {
      await it.relay()
      const [alice, bob] = [await it.peer(), await it.peer()]
      const [ours] = [await alice.connect(bob.ticket)]
      await ours.sendDatagram(Uint8Array.of(1))
    })
    expect(found).toBe('nothing')
  })
})
