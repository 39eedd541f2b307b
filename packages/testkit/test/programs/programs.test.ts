/** Programs for Node that nobody changed, on hosts of a simulated internet. */
import { AsyncLocalStorage } from 'node:async_hooks'
import dgram, { createSocket } from 'node:dgram'
import { once } from 'node:events'
import * as timers from 'node:timers'
import {
  setImmediate as immediate,
  setInterval as interval,
  scheduler,
  setTimeout as sleep,
} from 'node:timers/promises'
import { promisify } from 'node:util'
import { expect, test, vi } from 'vitest'
import { Internet, ms, nat, SIMULATED_EPOCH } from '../../src/index.ts'
import { bindReally, waitReally } from './early.ts'
import { ask, introduce, meet, serve } from './echo.ts'

test('an echo client and its server: timers, sockets and every clock are those of the simulation', async () => {
  await Internet.run('echo', { latency: ms(40) }, async (it) => {
    const server = it.host('server')
    const client = it.host('client', { behind: it.router({ nat: nat.T4() }) })
    server.run(() => serve(7000, 300))
    const answer = await client.run(() => ask(server.ips[0] as string, 7000))
    // one interval, 41 ms there, 300 ms at the server, 41 ms back; 1 ms of each way is inside of the router's network
    expect(answer.text).toBe('hello!')
    expect(answer.tries).toBe(1)
    for (const took of Object.values(answer.took)) expect(took).toBeCloseTo(1382, 0)
  })
})

test('what is lost is asked for again', async () => {
  await Internet.run('loss', { latency: ms(40) }, async (it) => {
    const server = it.host('server')
    const client = it.host('client')
    server.run(() => serve(7000, 1))
    it.sim.network.between(server, client, { loss: 1 })
    const answer = client.run(() => ask(server.ips[0] as string, 7000))
    await it.wait(ms(3500))
    it.sim.network.between(server, client, { loss: 0 })
    expect(await answer).toMatchObject({ text: 'hello!', tries: 4 })
  })
})

test.for([
  ['T1', 'T4', true],
  ['T2', 'T3', true],
  ['T3', 'T3', true],
  ['T3', 'T4', false],
  ['T4', 'T4', false],
] as const)('two unchanged programs behind %s and %s meet: %s', async ([ours, theirs, met]) => {
  const begun = performance.now()
  await Internet.run('meet', { latency: ms(40) }, async (it) => {
    const server = it.host('server')
    const at = server.ips[0] as string
    server.run(() => introduce(7000))
    const members = [ours, theirs].map((kind) => it.host(kind, { behind: it.router({ nat: nat[kind]() }) }))
    const found = await Promise.all(members.map((each) => each.run(() => meet(at, 7000))))
    expect(found).toEqual([met, met])
    expect(it.sim.clock.now()).toBeGreaterThanOrEqual(5000)
  })
  expect(performance.now() - begun).toBeLessThan(5000)
})

test('each host has its own programs; outside of them time is real', async () => {
  await Internet.run('clocks', {}, async (it) => {
    const host = it.host('host')
    expect(host.run(() => [Date.now(), performance.timeOrigin])).toEqual([SIMULATED_EPOCH, SIMULATED_EPOCH])
    expect(host.run(() => new Date().toISOString())).toBe('2030-01-01T00:00:00.000Z')
    expect(host.run(() => Date())).toContain('2030')
    expect(host.run(() => new Date(5).getTime())).toBe(5)
    expect(host.run(() => new Date() instanceof Date)).toBe(true)
    expect(Date.now()).toBeLessThan(SIMULATED_EPOCH)
    const late = host.run(async () => {
      await sleep(60_000)
      return [Date.now() - SIMULATED_EPOCH, process.hrtime([30, 0])]
    })
    expect(await late).toEqual([60_000, [30, 0]])
  })
})

test('every timer that Node has rings in its turn', async () => {
  const heard: string[] = []
  await Internet.run('timers', {}, async (it) => {
    const at = (what: string): void => void heard.push(`${what} ${Math.floor(it.sim.clock.now())}`)
    await it.host('host').run(async () => {
      setTimeout((a: string, b: string) => at(a + b), 30, 'argu', 'ments')
      const stopped = [
        setTimeout(at, 10, 'cleared'),
        timers.setInterval(at, 10, 'cleared'),
        setImmediate(at, 'cleared'),
      ]
      for (const each of stopped) clearTimeout(each as NodeJS.Timeout)
      clearTimeout(Number(setTimeout(at, 10, 'cleared by number')))
      const again = setTimeout(at, 20, 'refreshed')
      setTimeout(() => again.refresh(), 15)
      timers.setImmediate(at, 'immediate')
      setTimeout(at, -1, 'at least')
      expect(again.unref().hasRef()).toBe(false)
      await immediate()
      await scheduler.wait(40)
      at('scheduler')
      await promisify(setTimeout)(10)
      at('promisify')
      let ticks = 0
      for await (const tick of interval(100, 'tick')) {
        at(tick)
        if (++ticks === 2) break
      }
      const aborted = sleep(1000, undefined, { signal: AbortSignal.timeout(5) })
      await expect(aborted).rejects.toMatchObject({ name: 'AbortError', cause: { name: 'TimeoutError' } })
      at('aborted')
    })
  })
  expect(heard).toEqual([
    'immediate 0',
    'at least 1',
    'arguments 30',
    'refreshed 35',
    'scheduler 40',
    'promisify 50',
    'tick 150',
    'tick 250',
    'aborted 255',
  ])
})

test('its own asynchronous context follows it through sockets and timers', async () => {
  const own = new AsyncLocalStorage<string>()
  const heard: unknown[] = []
  await Internet.run('context', {}, async (it) => {
    const host = it.host('host')
    await host.run(() =>
      own.run('mine', async () => {
        const socket = createSocket('udp4')
        socket.bind(7000)
        const message = new Promise<void>((resolve) => {
          socket.on('message', () => {
            heard.push(own.getStore())
            resolve()
          })
        })
        setTimeout(() => socket.send('to myself', 7000, host.ips[0]), 10)
        await message
      }),
    )
  })
  expect(heard).toEqual(['mine'])
})

test('a socket can be what a function promises', async () => {
  await Internet.run('promised', {}, async (it) => {
    const port = await it.host('host').run(async () => {
      const open = async (): Promise<dgram.Socket> => {
        const socket = createSocket({ type: 'udp4', signal: new AbortController().signal }).bind(7000)
        await once(socket, 'listening')
        return socket
      }
      return (await open()).address().port
    })
    expect(port).toBe(7000)
  })
})

test('a module that is loaded in a run is a program, whatever it takes hold of', async () => {
  const source = `
    import dgram from 'node:dgram'
    import { setTimeout as sleep } from 'node:timers/promises'
    const { createSocket } = dgram
    const [now, later] = [Date.now, setTimeout]
    await sleep(60_000)
    createSocket('udp4').bind(7000)
    await new Promise((resolve) => later(resolve, 1000))
    export const at = now()`
  await Internet.run('module', {}, async (it) => {
    const host = it.host('host')
    const loaded = host.run(() => import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(source)}`))
    expect(await loaded).toMatchObject({ at: SIMULATED_EPOCH + 61_000 })
    expect(host.openSockets).toBe(1)
  })
})

test('at the end of the scenario its sockets and timers are gone, and what is of Node is of Node', async () => {
  const before = [dgram.createSocket, setTimeout, Date, timers.setInterval, sleep, process.hrtime]
  const ran = vi.fn()
  let host: { readonly openSockets: number } | undefined
  await Internet.run('end', {}, async (it) => {
    const server = it.host('server')
    host = server
    server.run(() => {
      createSocket('udp4').bind(7000).on('close', ran)
      setInterval(ran, 1_000_000)
    })
    expect(dgram.createSocket).not.toBe(before[0])
    await it.wait(ms(10))
    expect(server.openSockets).toBe(1)
  })
  expect(ran).not.toHaveBeenCalled()
  expect(host?.openSockets).toBe(0)
  expect([dgram.createSocket, setTimeout, Date, timers.setInterval, sleep, process.hrtime]).toEqual(before)
})

test.for([
  ['a real UDP socket', bindReally],
  ['a real timer', waitReally],
] as const)('%s fails the scenario', async ([what, program]) => {
  const said = vi.spyOn(console, 'error').mockReturnValue()
  const played = Internet.run('leak', {}, async (it) => {
    it.host('leaky').run(program)
    await it.wait(ms(1000))
  })
  await expect(played).rejects.toThrow(`The program on leaky started ${what}.`)
  said.mockRestore()
})

test('a real timer at the very end fails it too', async () => {
  const said = vi.spyOn(console, 'error').mockReturnValue()
  const played = Internet.run('leak', {}, (it) => it.host('leaky').run(waitReally))
  await expect(played).rejects.toThrow('The program on leaky started a real timer.')
  said.mockRestore()
})

test('what a program throws in a timer fails the scenario', async () => {
  const said = vi.spyOn(console, 'error').mockReturnValue()
  const played = Internet.run('throws', {}, async (it) => {
    it.host('host').run(() => {
      setTimeout(() => {
        throw new Error('of the program')
      }, 10)
    })
    await it.wait(ms(1000))
  })
  await expect(played).rejects.toThrow('of the program')
  said.mockRestore()
})
