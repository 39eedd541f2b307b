import { duration, later } from '@showchain/client/core'
import { openUdp, systemClock } from '@showchain/client/runtime'
import type { Endpoint } from '@showchain/wire'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { faultySocket, Simulation, VirtualWorker } from '../../src/index.ts'
import { Pinger } from './pinger.ts'

afterEach(() => void vi.restoreAllMocks())

/** Alice greets bob every half second over a bad line. */
function greetings(seed: string): Simulation {
  const sim = new Simulation(seed, { loss: 0.2, duplicate: 0.1, reorder: 0.1, jitter: duration(30) })
  const [alice, bob] = [sim.identity('alice'), sim.identity('bob')]
  const unixMs = (): number => sim.clock.unixMs()
  const { provider } = sim
  const to = { ip: '192.0.2.2', port: 4000 }
  const sender = sim.put(sim.host('alice', '192.0.2.1'), {
    identity: alice,
    machine: () => new Pinger({ identity: alice, provider, other: bob.publicKey, to, unixMs }),
  })
  sim.put(sim.host('bob', to.ip), {
    port: to.port,
    machine: () => new Pinger({ identity: bob, provider, other: alice.publicKey, to: undefined, unixMs }),
    onEvent: (text) => sim.timeline.add({ type: 'note', at: sim.clock.now(), from: 'bob', text }),
  })
  sender.driver.input((machine, now) => machine.start(now))
  sim.advance(duration(60_000))
  return sim
}

describe('a simulation', () => {
  test('the same seed gives the same timeline byte for byte, another seed another one', () => {
    const [a, b, c] = [greetings('one'), greetings('one'), greetings('two')]
    expect(a.timeline.entries).toEqual(b.timeline.entries)
    expect(a.timeline.format()).toBe(b.timeline.format())
    expect(a.timeline.format()).not.toBe(c.timeline.format())
  })

  test('runs machines: signed on one host, verified on the other, repeated by timers', () => {
    const sim = greetings('machines')
    const notes = sim.timeline.entries.flatMap((entry) => (entry.type === 'note' ? entry.text : []))
    const sent = sim.timeline.entries.filter((entry) => entry.type === 'packet')
    expect(sent).toHaveLength(121)
    expect(notes.length).toBeGreaterThan(80)
    expect(notes.every((text) => text.endsWith(' true'))).toBe(true)
    expect(sim.timeline.format()).toMatch(/alice → bob {2}directRequest 0x101 .*\(lost\)/)
  })

  test('work can take virtual time, and none of it comes back after the close', async () => {
    const sim = new Simulation('work')
    const { clock, provider } = sim
    const [alice, bob] = [sim.identity('alice'), sim.identity('bob')]
    const worker = () =>
      new VirtualWorker({
        clock,
        provider,
        sign: (bytes) => alice.signNow(bytes),
        certify: () => undefined,
        signTime: duration(5),
      })
    const unixMs = (): number => clock.unixMs()
    const machine = () =>
      new Pinger({ identity: alice, provider, other: bob.publicKey, to: { ip: '192.0.2.9', port: 1 }, unixMs })
    const open = sim.put(sim.host('open', '192.0.2.1'), { machine, worker: worker() })
    const closed = sim.put(sim.host('closed', '192.0.2.2'), { machine, worker: worker() })
    for (const { driver } of [open, closed]) driver.input((pinger, now) => pinger.start(now))
    await closed.driver.close()
    sim.advance(duration(100))
    expect(sim.timeline.entries).toMatchObject([{ from: 'open', at: 5 }])
  })

  test('a scenario that fails prints its seed and the end of its timeline, and throws what it threw', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    const failed = Simulation.run('the seed', (sim) => {
      sim.host('alice', '192.0.2.1').socket().send({ ip: '192.0.2.2', port: 1 }, Uint8Array.of(0xb1))
      throw new Error('as planned')
    })
    await expect(failed).rejects.toThrow('as planned')
    expect(printed.mock.calls.join()).toContain('"the seed"')
    expect(printed.mock.calls.join()).toContain('alice → 192.0.2.2')
  })

  test('time passes until a condition holds, and not for ever', () => {
    const sim = new Simulation('until')
    expect(() => sim.until(() => false)).toThrow('Nothing is left')
    const again = (): void => void sim.clock.schedule(later(sim.clock.now(), duration(1000)), again)
    again()
    sim.until(() => sim.clock.now() >= 5000)
    expect(sim.clock.now()).toBeGreaterThanOrEqual(5000)
    expect(() => sim.until(() => false, duration(10_000))).toThrow('does not hold')
  })

  test('time passes until a promise is settled, and not for ever', async () => {
    const sim = new Simulation('settle')
    const sleep = (ms: number): Promise<number> =>
      new Promise((resolve) => sim.clock.schedule(later(sim.clock.now(), duration(ms)), () => resolve(ms)))
    const twice = async (): Promise<number> => (await sleep(100)) + (await sleep(200))
    expect(await sim.settle(twice())).toBe(300)
    expect(sim.clock.now()).toBe(300)
    await expect(sim.settle(Promise.reject(new Error('its own')))).rejects.toThrow('its own')
    await expect(sim.settle(new Promise(() => {}))).rejects.toThrow('pending')
  })

  test('a promise that outlives its patience fails, and others go on', async () => {
    const sim = new Simulation('patience')
    const long = sim.wait(duration(5000))
    await expect(sim.settle(new Promise(() => {}), duration(1000))).rejects.toThrow('for longer than it may')
    await long
    expect(sim.clock.now()).toBe(5000)
  })

  test('time passes while a scenario awaits, and once for those that wait at the same time', async () => {
    const order: string[] = []
    await Simulation.run('await', async (sim) => {
      const say = async (name: string, ms: number): Promise<void> => {
        await sim.wait(duration(ms))
        order.push(`${name} at ${sim.clock.now()}`)
      }
      await Promise.all([say('late', 300), say('early', 100)])
      await say('last', 50)
    })
    expect(order).toEqual(['early at 100', 'late at 300', 'last at 350'])
  })

  test('what a machine throws while a scenario awaits fails the scenario', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    const scenario = async (sim: Simulation): Promise<void> => {
      sim.clock.schedule(later(sim.clock.now(), duration(10)), () => {
        throw new Error('broken machine')
      })
      await sim.wait(duration(1000))
    }
    await expect(Simulation.run('throws', scenario)).rejects.toThrow('broken machine')
    printed.mockRestore()
  })
})

describe('a faulty socket', () => {
  /**
   * How many of 1000 datagrams arrive at bob, and how many of bob's echoes at alice, with the
   * faults at alice.
   */
  function counts(faults: Partial<Parameters<typeof faultySocket>[1]>): { there: number; back: number } {
    const sim = new Simulation('faults')
    const alice = faultySocket(sim.host('alice', '192.0.2.1').socket(4000), {
      clock: sim.clock,
      random: sim.random.fork('faults'),
      ...faults,
    })
    const bob = sim.host('bob', '192.0.2.2').socket(4000)
    const count = { there: 0, back: 0 }
    alice.onDatagrams((batch) => {
      count.back += batch.length
    })
    bob.onDatagrams((batch) => {
      count.there += batch.length
      for (const { bytes, source } of batch) bob.send(source, bytes)
    })
    for (let i = 0; i < 1000; i++) alice.send({ ip: '192.0.2.2', port: 4000 }, Uint8Array.of(i & 0xff))
    sim.advance(duration(1000))
    return count
  }

  test('without faults lets everything through', () => {
    expect(counts({})).toEqual({ there: 1000, back: 1000 })
  })

  test('loses on the way out, on the way in, or both, and the same way each time', () => {
    const sent = counts({ loss: 0.5, direction: 'sent' })
    expect(sent.there).toBe(sent.back)
    expect(Math.abs(sent.there - 500)).toBeLessThan(100)
    expect(counts({ loss: 0.5, direction: 'received' }).there).toBe(1000)
    const both = counts({ loss: 0.5 })
    expect(both.back).toBeLessThan(both.there)
    expect(counts({ loss: 0.5 })).toEqual(both)
  })

  test('doubles, and holds back', () => {
    expect(counts({ duplicate: 1, direction: 'sent' }).there).toBe(2000)
    expect(counts({ reorder: 0.5, reorderDelay: duration(100) })).toEqual({ there: 1000, back: 1000 })
  })

  test('meets real datagrams with the fate that it gives simulated ones', async () => {
    const listen = [{ host: '127.0.0.1', port: 0 }]
    const [near, far] = [await openUdp({ listen }), await openUdp({ listen })]
    const random = new Simulation('faults').random.fork('faults')
    const alice = faultySocket(near, { clock: systemClock, random, loss: 0.5, direction: 'sent' })
    const to = far.localEndpoints[0] as Endpoint
    let received = 0
    const last = new Promise<void>((resolve) => {
      far.onDatagrams((batch) => {
        for (const { bytes } of batch)
          if (bytes.length === 0) resolve()
          else received++
      })
    })
    for (let i = 0; i < 1000; i++) {
      alice.send(to, Uint8Array.of(i & 0xff))
      // The kernel's buffer, whatever its size, must not lose any by itself.
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    near.send(to, new Uint8Array(0))
    await last
    expect(received).toBe(counts({ loss: 0.5, direction: 'sent' }).there)
    await Promise.all([alice.close(), far.close()])
  })

  test('drops what it still holds when it is closed', async () => {
    const sim = new Simulation('closed')
    const bare = sim.host('alice', '192.0.2.1').socket()
    const socket = faultySocket(bare, { clock: sim.clock, random: sim.random, latency: duration(5) })
    expect(socket.localEndpoints).toEqual(bare.localEndpoints)
    socket.send({ ip: '192.0.2.2', port: 1 }, Uint8Array.of(1))
    await socket.close()
    sim.advance(duration(1000))
    expect(sim.timeline.entries).toEqual([])
  })
})
