/** Programs as people write them for Node: nothing here knows of a simulation. */
import dgram, { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

/** Answers each message a little later. */
export function serve(port: number, think: number): void {
  const socket = createSocket('udp4', (message, from) => {
    setTimeout(() => socket.send(`${message}!`, from.port, from.address), think)
  })
  socket.bind(port)
}

export interface Answer {
  readonly text: string
  readonly tries: number
  /** By each of the clocks that Node has, in milliseconds. */
  readonly took: { readonly date: number; readonly performance: number; readonly hrtime: number }
}

/** Asks until there is an answer. */
export function ask(address: string, port: number, patience = 10_000): Promise<Answer> {
  const begun = { date: new Date(), performance: performance.now(), hrtime: process.hrtime.bigint() }
  const socket = dgram.createSocket({ type: 'udp4' })
  let tries = 0
  const again = setInterval(() => {
    tries++
    socket.send('hello', port, address)
  }, 1000)
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => end(() => reject(new Error('no answer'))), patience)
    const end = (then: () => void): void => {
      clearInterval(again)
      clearTimeout(late)
      socket.close(then)
    }
    socket.on('message', (message) => {
      const took = {
        date: Date.now() - begun.date.getTime(),
        performance: performance.now() - begun.performance,
        hrtime: Number(process.hrtime.bigint() - begun.hrtime) / 1e6,
      }
      end(() => resolve({ text: String(message), tries, took }))
    })
  })
}

/** Two programs that a third one introduces: each returns whether the other one's hello came. */
export async function meet(address: string, port: number): Promise<boolean> {
  const socket = createSocket('udp4').bind()
  await once(socket, 'listening')
  let met = false
  const others = new Map<number, string>()
  socket.on('message', (message, from) => {
    if (from.address !== address) {
      met = true
      if (String(message) === 'hello') socket.send('welcome', from.port, from.address)
    } else others.set(Number(String(message).split(' ')[0]), String(message).split(' ')[1] as string)
  })
  for (let round = 0; round < 10; round++) {
    socket.send('join', port, address)
    for (const [at, ip] of others) socket.send('hello', at, ip)
    await sleep(500)
  }
  socket.close()
  return met
}

/** Tells everybody of everybody. */
export function introduce(port: number): void {
  const members = new Map<string, dgram.RemoteInfo>()
  const socket = createSocket('udp4').bind(port)
  socket.on('message', (_join, from) => {
    members.set(`${from.address} ${from.port}`, from)
    for (const each of members.values())
      if (each.address !== from.address || each.port !== from.port)
        socket.send(`${each.port} ${each.address}`, from.port, from.address)
  })
}
