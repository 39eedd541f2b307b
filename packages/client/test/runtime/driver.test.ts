import { describe, expect, test } from 'vitest'
import { instant } from '../../src/core/endpoint/machine.ts'
import { Driver, type DriverOptions } from '../../src/runtime/index.ts'
import { HandClock, HandSocket, HandWorker, ScriptedMachine, there } from './fakes.ts'

function driven(options: Partial<DriverOptions<ScriptedMachine>> = {}) {
  const parts = {
    machine: new ScriptedMachine(),
    socket: new HandSocket(),
    clock: new HandClock(),
    worker: new HandWorker(),
  }
  const events: string[] = []
  const driver = new Driver({ ...parts, onEvent: (event) => events.push(event), ...options })
  return { ...parts, driver, events }
}

describe('a driver', () => {
  test('hands every input the time and drains after it', () => {
    const { machine, socket, clock, driver, events } = driven()
    clock.time = 5
    machine.onReceive = () => {
      machine.outbox.transmit(there, Uint8Array.of(7))
      machine.outbox.event('received')
    }
    socket.deliver(3)
    expect(machine.inputs).toEqual(['receive 3 at 5'])
    expect(socket.sent).toEqual([{ to: there, first: 7 }])
    expect(events).toEqual(['received'])
    expect(driver.input((_, now) => `command at ${now}`)).toBe('command at 5')
  })

  test('what came together is one input: one time, and one drain at its end', () => {
    const { machine, socket, clock, events } = driven()
    machine.onReceive = ({ bytes: [first = 0] }) => {
      clock.time++
      machine.outbox.transmit(there, Uint8Array.of(first))
      machine.outbox.event(`after ${socket.sent.length} sent`)
    }
    socket.deliverBatch([1], [2], [3])
    expect(machine.inputs).toEqual(['receive 1 at 0', 'receive 2 at 0', 'receive 3 at 0'])
    expect(socket.sent.map(({ first }) => first)).toEqual([1, 2, 3])
    expect(events).toEqual(['after 0 sent', 'after 0 sent', 'after 0 sent'])
  })

  test('at a pause hands over what there is, and goes on in the next turn', () => {
    const { machine, socket, clock, events } = driven()
    const left: number[] = []
    socket.flush = () => left.push(socket.sent.length)
    machine.onReceive = () => {
      machine.outbox.transmit(there, Uint8Array.of(1))
      machine.outbox.event('before')
      machine.outbox.pause()
      machine.outbox.event('after')
      machine.outbox.transmit(there, Uint8Array.of(2))
    }
    socket.deliver(0)
    expect([events, socket.sent.map(({ first }) => first)]).toEqual([['before'], [1]])
    expect(left, 'what was sent waits for nothing').toEqual([1])
    clock.fire()
    expect([events, socket.sent.map(({ first }) => first)]).toEqual([
      ['before', 'after'],
      [1, 2],
    ])
  })

  test('after a pause goes on before the next input, which may come from the event before it', () => {
    const seen: string[] = []
    const { machine, socket, clock, driver } = driven({
      onEvent: (event) => {
        if (event === 'open') driver.input(() => seen.push(`close, sent ${socket.sent.length}`))
      },
    })
    machine.onReceive = () => {
      machine.outbox.event('open')
      for (let index = 1; index < 4; index++) {
        machine.outbox.pause()
        machine.outbox.transmit(there, Uint8Array.of(index))
      }
    }
    socket.deliver(0)
    expect(seen).toEqual(['close, sent 3'])
    clock.fire()
    expect(socket.sent.map(({ first }) => first)).toEqual([1, 2, 3])
  })

  test('drains what its machine wanted before there was a driver', () => {
    const machine = new ScriptedMachine()
    machine.outbox.event('early')
    expect(driven({ machine }).events).toEqual(['early'])
  })

  test('delivers events after the drain, in order, also those that an event causes', () => {
    const order: string[] = []
    const { machine, socket, driver } = driven({
      onEvent: (event) => {
        order.push(`event ${event}, sent ${socket.sent.length}`)
        if (event === 'a') {
          driver.input(() => {
            machine.outbox.event('c')
            machine.outbox.transmit(there, Uint8Array.of(2))
          })
          order.push('a is done')
        }
      },
    })
    driver.input(() => {
      machine.outbox.event('a')
      machine.outbox.event('b')
      machine.outbox.transmit(there, Uint8Array.of(1))
    })
    expect(order).toEqual(['event a, sent 1', 'a is done', 'event b, sent 2', 'event c, sent 2'])
  })

  test('a command from inside the machine or its drain is part of the input that is under way', () => {
    const seen: string[] = []
    const { machine, driver, socket } = driven({
      onTransmit: (_, bytes) => {
        if (bytes[0] === 1) driver.input(() => machine.outbox.transmit(there, Uint8Array.of(2)))
        seen.push(`transmit ${bytes[0]}`)
      },
    })
    driver.input(() => {
      machine.outbox.transmit(there, Uint8Array.of(1))
      expect(driver.input(() => 'inner')).toBe('inner')
      expect(socket.sent).toEqual([])
    })
    expect(seen).toEqual(['transmit 1', 'transmit 2'])
    expect(socket.sent.map(({ first }) => first)).toEqual([1, 2])
  })

  test('a result of work is an input like any other', () => {
    const { machine, worker, clock, driver, events } = driven()
    driver.input(() =>
      machine.outbox.sign(Uint8Array.of(1), (signature, now) =>
        machine.outbox.event(`signed ${signature?.[0]} at ${now}`),
      ),
    )
    expect(events).toEqual([])
    clock.time = 9
    worker.finish(Uint8Array.of(4))
    expect(events).toEqual(['signed 4 at 9'])
  })

  test('a worker that answers at once is drained in the same input', () => {
    const { machine, driver, events } = driven({
      worker: {
        waiting: 0,
        run: (work, enter) => enter((now) => work.kind === 'sign' && work.resume(undefined, now)),
        close() {},
      },
    })
    driver.input(() =>
      machine.outbox.sign(Uint8Array.of(1), (signature) => machine.outbox.event(`shed ${signature === undefined}`)),
    )
    expect(events).toEqual(['shed true'])
  })

  test('arms one timer, again only for an earlier deadline, and wakes the machine', () => {
    const { machine, clock, driver } = driven()
    const deadline = (at: number | undefined): void =>
      driver.input(() => {
        machine.deadline = at === undefined ? undefined : instant(at)
      })
    expect(clock.timers).toEqual([])
    deadline(100)
    deadline(200)
    deadline(100)
    expect(clock.timers.map(({ at }) => at)).toEqual([100])
    deadline(50)
    expect(clock.timers.map(({ at, cancelled }) => [at, cancelled])).toEqual([
      [100, true],
      [50, false],
    ])
    deadline(undefined)
    clock.fire()
    expect(machine.inputs).toEqual(['wake at 50'])
    expect(clock.timers).toHaveLength(2)
  })

  test('a wake that comes too early arms again', () => {
    const { machine, clock, driver } = driven()
    driver.input(() => {
      machine.deadline = instant(100)
    })
    clock.fire(99.5)
    expect(machine.inputs).toEqual(['wake at 99.5'])
    expect(clock.timers.map(({ at }) => at)).toEqual([100, 100])
  })

  test('taps see each datagram before the machine and before the network', () => {
    const order: string[] = []
    const { machine, socket } = driven({
      onReceive: ({ bytes, source }) =>
        order.push(`in ${bytes[0]} from ${source.port}, ${machine.inputs.length} before`),
      onTransmit: (to, bytes) => order.push(`out ${bytes[0]} to ${to.port}, ${socket.sent.length} before`),
    })
    machine.onReceive = () => machine.outbox.transmit(there, Uint8Array.of(8))
    socket.deliver(1)
    expect(order).toEqual(['in 1 from 2, 0 before', 'out 8 to 2, 0 before'])
  })

  test('a command that throws leaves the driver working, and what it wanted is done', () => {
    const { machine, socket, driver } = driven()
    expect(() =>
      driver.input(() => {
        machine.outbox.transmit(there, Uint8Array.of(1))
        throw new Error('no')
      }),
    ).toThrow('no')
    expect(socket.sent).toHaveLength(1)
    socket.deliver(2)
    expect(machine.inputs).toEqual(['receive 2 at 0'])
  })

  test('an owner that throws on an event gets the later ones all the same', () => {
    const seen: string[] = []
    const { machine, driver } = driven({
      onEvent: (event) => {
        seen.push(event)
        if (event === 'a') throw new Error('owner')
      },
    })
    const both = (): void => {
      machine.outbox.event('a')
      machine.outbox.event('b')
    }
    expect(() => driver.input(both)).toThrow('owner')
    driver.input(() => {})
    expect(seen).toEqual(['a', 'b'])
  })

  test('after the close nothing goes in or out, and the ports are closed', async () => {
    const { machine, socket, clock, worker, driver, events } = driven()
    driver.input(() => {
      machine.deadline = instant(10)
      machine.outbox.sign(Uint8Array.of(1), () => machine.outbox.event('too late'))
    })
    await driver.close()
    expect(driver.closed && socket.closed && worker.closed).toBe(true)
    expect(clock.timers[0]?.cancelled).toBe(true)
    socket.deliver(1)
    worker.finish(Uint8Array.of(1))
    clock.fire()
    expect(machine.inputs).toEqual([])
    expect(events).toEqual([])
    expect(() => driver.input(() => {})).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }))
    await driver.close()
  })

  test('closing waits for last words to be signed, and for nothing else', async () => {
    const { machine, socket, worker, driver } = driven()
    const say =
      (word: number) =>
      (signature: Uint8Array | undefined): void => {
        if (signature !== undefined) machine.outbox.transmit(there, Uint8Array.of(word))
      }
    driver.input(() => {
      machine.outbox.sign(Uint8Array.of(1), say(1))
      machine.outbox.sign(Uint8Array.of(2), say(2), true)
      machine.outbox.sign(Uint8Array.of(3), say(3), true)
    })
    let closed = false
    const closing = driver.close().then(() => {
      closed = true
    })
    expect(() => driver.input(() => {})).toThrow(expect.objectContaining({ code: 'ERR_CLOSED' }))
    socket.deliver(1)
    worker.finish(Uint8Array.of(1))
    worker.finish(Uint8Array.of(2))
    await Promise.resolve()
    expect([closed, socket.sent.map(({ first }) => first), machine.inputs]).toEqual([false, [2], []])
    worker.finish(Uint8Array.of(3))
    await closing
    expect([socket.closed, worker.closed, socket.sent.map(({ first }) => first)]).toEqual([true, true, [2, 3]])
  })

  test('closing waits a second at most', async () => {
    const { machine, socket, clock, driver } = driven()
    driver.input(() => machine.outbox.sign(Uint8Array.of(1), () => {}, true))
    const closing = driver.close()
    expect(socket.closed).toBe(false)
    expect(clock.timers.at(-1)?.at).toBe(1000)
    clock.fire()
    await closing
    expect(socket.closed).toBe(true)
  })

  test('an owner that closes it on an event still gets the events before the close', async () => {
    const seen: string[] = []
    const { machine, driver, socket } = driven({
      onEvent: (event) => {
        seen.push(event)
        void driver.close()
      },
    })
    driver.input(() => {
      machine.outbox.event('a')
      machine.outbox.event('b')
      machine.outbox.transmit(there, Uint8Array.of(1))
    })
    expect(seen).toEqual(['a', 'b'])
    expect(socket.sent).toHaveLength(1)
  })

  test('a machine has further sockets: what comes in there says so, and what is sent there leaves from there', () => {
    const given = new HandSocket()
    const opened: HandSocket[] = []
    const openSocket = (): HandSocket => {
      opened.push(new HandSocket())
      return opened.at(-1) as HandSocket
    }
    const { machine, socket, driver } = driven({ others: [given], openSocket })
    const sources: unknown[] = []
    machine.onReceive = ({ source }) => {
      sources.push(source)
      machine.outbox.transmit(source, Uint8Array.of(9))
    }
    given.deliver(1)
    driver.input(() => machine.outbox.socket('open', 7))
    opened[0]?.deliver(1)
    expect(sources).toEqual([
      { ...there, socket: 1 },
      { ...there, socket: 7 },
    ])
    expect([socket, given, ...opened].map(({ sent }) => sent.length)).toEqual([0, 1, 1])
    driver.input(() => {
      machine.outbox.socket('open', 7)
      machine.outbox.socket('close', 7)
      machine.outbox.socket('close', 8)
      machine.outbox.transmit({ ...there, socket: 7 }, Uint8Array.of(9))
    })
    opened[0]?.deliver(1)
    expect(opened.map(({ closed, sent }) => [closed, sent.length])).toEqual([[true, 1]])
    expect(sources).toHaveLength(2)
  })

  test.each(['at once', 'later'])(
    'the machine is told of one that fails %s, and what it sends there is lost',
    (when) => {
      const failing = new HandSocket()
      let fail = (): void => {}
      const failed: unknown[] = []
      const { machine, driver, socket } = driven({
        openSocket: (tell) => {
          fail = () => tell('EMFILE')
          if (when === 'at once') failing.send = fail
          return failing
        },
      })
      Object.assign(machine, { socketFailed: (...what: unknown[]) => failed.push(what.slice(0, 2)) })
      driver.input(() => {
        machine.outbox.socket('open', 7)
        machine.outbox.transmit({ ...there, socket: 7 }, Uint8Array.of(9))
      })
      if (when === 'later') fail()
      const before = failing.sent.length
      driver.input(() => machine.outbox.transmit({ ...there, socket: 7 }, Uint8Array.of(9)))
      expect([failed, failing.sent.length, socket.sent.length]).toEqual([[[7, 'EMFILE']], before, 0])
    },
  )

  test('closing closes every socket', async () => {
    const sockets = [new HandSocket(), new HandSocket()]
    const { machine, driver, socket } = driven({
      others: sockets.slice(0, 1),
      openSocket: () => sockets[1] as HandSocket,
    })
    driver.input(() => machine.outbox.socket('open', 2))
    await driver.close()
    expect([socket, ...sockets].map(({ closed }) => closed)).toEqual([true, true, true])
  })
})
