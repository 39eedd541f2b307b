/** One hostile peer and its target, in a process of their own, so that nothing else is counted. */
import { serve } from './child.ts'
import { ATTACKS, type Attack, type Sent } from './hostile-attacks.ts'
import { HostilePeer } from './hostile-peer.ts'

export interface HostileRequest {
  /** Name of the attack. */
  readonly attack: string
  /** What is sent at most. */
  readonly bytes: number
}

export interface HostileReport {
  readonly datagrams: number
  readonly bytes: number
  /** Of the target, its application, and virtual time. */
  readonly cpuMs: number
  /** Heap and buffers, after a collection, at most more than before. */
  readonly kept: number
  /** Bytes that came back. */
  readonly answered: number
  /** How the connection ended; undefined: it did not. */
  readonly ended: string | undefined
}

/** Datagrams of one virtual millisecond: 614 Mbit/s of full ones. */
const BATCH = 64
/** Looks at the memory, spread over the attack. */
const LOOKS = 8
/** What an application writes ahead. */
const CHUNK = new Uint8Array(64 * 1024)

const collect =
  globalThis.gc ??
  ((): never => {
    throw new Error('Needs --expose-gc.')
  })
function used(): number {
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** What the application of the target does, until the connection ends. */
async function use({ connection }: HostilePeer, application: Attack['application']): Promise<void> {
  if (application === 'leaves') return
  if (application === 'sends') {
    const stream = await connection.openStream()
    for (;;) await stream.write(CHUNK)
  }
  for await (const stream of connection.streams)
    void (async () => {
      while ((await stream.read()) !== undefined);
    })().catch(() => {})
}

async function attack({ attack: name, bytes: most }: HostileRequest): Promise<HostileReport> {
  const chosen = ATTACKS.find((each) => each.name === name)
  if (chosen === undefined) throw new Error(`There is no attack "${name}".`)
  const peer = await HostilePeer.open({ initiator: chosen.initiator ?? false })
  void use(peer, chosen.application).catch(() => {})
  const source = chosen.datagrams(peer)
  for (let round = 0; round < 50; round++) await peer.pass()
  const before = used()
  const report = { datagrams: 0, bytes: 0, cpu: 0, kept: 0 }
  let nextLook = most / LOOKS
  while (report.bytes < most && peer.connection.end === undefined) {
    const batch = Array.from({ length: chosen.batch ?? BATCH }, () => source.next().value as Sent)
    const start = process.cpuUsage()
    for (const { bytes, from } of batch) {
      peer.send(bytes, from)
      report.datagrams++
      report.bytes += bytes.length
    }
    await peer.pass()
    const { user, system } = process.cpuUsage(start)
    report.cpu += user + system
    if (report.bytes < nextLook) continue
    nextLook += most / LOOKS
    report.kept = Math.max(report.kept, used() - before)
  }
  report.kept = Math.max(report.kept, used() - before)
  const { datagrams, bytes, cpu, kept } = report
  const ended = peer.connection.end?.reason
  const { answered } = peer
  await peer.close()
  return { datagrams, bytes, cpuMs: cpu / 1000, kept, answered, ended }
}

serve(attack)
