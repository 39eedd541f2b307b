/**
 * What a tunnel costs: the same bytes by `showchain listen` and `connect --pipe`, and by `serve` and
 * `forward`, whose ends are TCP connections. The built programs, in turns.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Effort } from './effort.ts'
import { type Figure, type Findings, figure, times } from './figures.ts'
import { LOOPBACK } from './loopback.ts'

const PROGRAM = fileURLToPath(new URL('../node_modules/@showchain/peer-cli/bin/showchain.js', import.meta.url))
const OPTIONS = ['--ephemeral', '--lab', '--host', LOOPBACK]
const PIECE = Buffer.alloc(65_536)
const MAX_SAMPLES = 5
/** A second of /proc/PID/stat (sysconf(_SC_CLK_TCK)), the same on every Linux. */
const TICKS = 100

/** A program, ended at the end of the sample. */
class Running {
  readonly child: ChildProcess

  constructor(...args: readonly string[]) {
    this.child = spawn(process.execPath, [PROGRAM, ...args, ...OPTIONS], { stdio: ['pipe', 'pipe', 'pipe'] })
  }

  /** The first line that matches. */
  async line(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string> {
    for await (const line of createInterface({ input: this.child[stream] as Readable })) {
      const [, found] = pattern.exec(line) ?? []
      if (found !== undefined) return found
    }
    throw new Error(`A program of the benchmark printed no line like ${pattern}.`)
  }

  /** Used so far, by proc(5). */
  get cpuSeconds(): number {
    const [, fields = ''] = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8').split(') ')
    const [user = 0, system = 0] = fields.split(' ').slice(11, 13).map(Number)
    return (user + system) / TICKS
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const ended = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await ended
  }
}

interface Sample {
  /** From the first byte at one end to the last one at the other. */
  readonly seconds: number
  /** Of both programs. */
  readonly cpuSeconds: number
}

async function carry(programs: readonly Running[], into: Writable, out: Readable, bytes: number): Promise<Sample> {
  const cpu = (): number => programs.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
  let received = 0
  const all = new Promise<void>((resolve) => {
    out.on('data', (piece: Buffer) => {
      received += piece.length
      if (received >= bytes) resolve()
    })
  })
  const [began, before] = [performance.now(), cpu()]
  for (let sent = 0; sent < bytes; sent += PIECE.length) if (!into.write(PIECE)) await once(into, 'drain')
  await all
  return { seconds: (performance.now() - began) / 1000, cpuSeconds: cpu() - before }
}

async function byPipes(bytes: number): Promise<Sample> {
  const listener = new Running('listen', '--pipe')
  const ticket = await listener.line('stderr', /^(showchain:\S+)$/)
  const caller = new Running('connect', '--pipe', ticket)
  try {
    await caller.line('stderr', /^(connected) with/)
    return await carry([listener, caller], caller.child.stdin as Writable, listener.child.stdout as Readable, bytes)
  } finally {
    await Promise.all([listener.end(), caller.end()])
  }
}

async function byTunnel(bytes: number): Promise<Sample> {
  const target = createServer()
  target.listen(0, LOOPBACK)
  await once(target, 'listening')
  const server = new Running('serve', `tcp://${LOOPBACK}:${(target.address() as AddressInfo).port}`)
  const ticket = await server.line('stdout', /^(showchain:\S+)$/)
  const forwarder = new Running('forward', '0', ticket)
  try {
    const port = await forwarder.line('stdout', /^forwarding .*:(\d+)$/)
    const reached = once(target, 'connection')
    const into = connect(Number(port), LOOPBACK)
    const [out] = await reached
    return await carry([server, forwarder], into, out, bytes).finally(() => into.destroy())
  } finally {
    target.close()
    await Promise.all([server.end(), forwarder.end()])
  }
}

export async function tunnels({ samples, streamBytes }: Effort): Promise<Findings> {
  const found: { readonly pipes: Sample[]; readonly tunnel: Sample[] } = { pipes: [], tunnel: [] }
  for (let round = 0; round < Math.min(samples, MAX_SAMPLES); round++) {
    found.pipes.push(await byPipes(streamBytes))
    found.tunnel.push(await byTunnel(streamBytes))
  }
  const of = (all: readonly Sample[]): readonly [Figure, Figure] => [
    figure(
      all.map(({ seconds }) => streamBytes / 1e6 / seconds),
      'MB/s',
    ),
    figure(
      all.map(({ cpuSeconds }) => cpuSeconds),
      's',
    ),
  ]
  const [pipes, tunnel] = [of(found.pipes), of(found.tunnel)]
  return {
    tables: [
      {
        title: 'Bytes between programs on one host',
        columns: ['what', 'throughput', 'CPU of both programs'],
        rows: [
          { name: 'listen, connect --pipe', cells: pipes },
          { name: 'serve, forward', cells: tunnel },
          { name: 'forward : pipe', cells: [times(tunnel[0], pipes[0]), times(tunnel[1], pipes[1])] },
        ],
        notes: [`${streamBytes / 1024 ** 2} MiB on one stream, direct, both ends of it in the benchmark's process.`],
      },
    ],
  }
}
