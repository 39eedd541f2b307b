/** `showchain send` and `showchain receive` while the path changes and both ends are killed. */
import { createHash, randomBytes } from 'node:crypto'
import { appendFileSync, createReadStream, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Program, ProgramEvent } from '../program.ts'
import { isOn, isPath, type Scenario, type World } from '../scenario.ts'
import { MIB } from '../transfer.ts'

const FILE_BYTES = 1024 * MIB
const NAME = 'file'
/** Megabytes a second through the relay. */
const RELAY_RATE = 12

/** A file of random bytes. @returns its SHA-256 */
function makeFile(path: string): string {
  const hash = createHash('sha256')
  for (let written = 0; written < FILE_BYTES; written += MIB) {
    const piece = randomBytes(MIB)
    hash.update(piece)
    appendFileSync(path, piece)
  }
  return hash.digest('hex')
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer)
  return hash.digest('hex')
}

/** It received so much of the file, with what was there before. */
const has =
  (share: number) =>
  ({ event, bytes }: ProgramEvent): boolean =>
    event === 'progress' && Number(bytes) >= share * FILE_BYTES

const relayAddress = ({ relay }: World): string => /addr=([\d.]+):/.exec(relay)?.[1] as string

async function killedTwice(world: World): Promise<string> {
  const [router, other] = [await world.router({ kind: 'T3' }), world.side('b', 'T3')]
  const [here, there] = [world.lab.host(router), world.lab.host(other)]
  const [path, into] = [join(world.lab.folder, NAME), join(world.lab.folder, 'received')]
  mkdirSync(into)
  const sent = makeFile(path)
  const started = performance.now()
  const run = async (): Promise<{ readonly sender: Program; readonly receiver: Program }> => {
    const { program: sender, ticket } = await world.lab.send(there, [world.relay], path)
    return { sender, receiver: world.lab.receive(here, ticket, into) }
  }
  const kinds: string[] = []
  const end = async (first: Program, second: Program, receiver: Program): Promise<void> => {
    await first.kill('SIGKILL')
    await second.kill('SIGKILL')
    kinds.push(
      receiver.events
        .filter(isPath)
        .map((event) => event.path.kind)
        .join(' → '),
    )
  }

  // A relayed connection tries again to be direct after 16 s, and the file must not be there by then.
  router.slow(relayAddress(world), RELAY_RATE)
  router.partition(other.wan)
  let { sender, receiver } = await run()
  await receiver.until('it has some through the relay', has(0.05))
  if (!receiver.events.some(isOn('relay'))) throw new Error(`not through the relay\n${receiver.transcript()}`)
  router.heal()
  await receiver.until('it is direct', isOn('direct'))
  await receiver.until('it has a third', has(0.33))
  await end(receiver, sender, receiver)
  ;({ sender, receiver } = await run())
  await receiver.until('it has two thirds', has(0.66))
  await end(sender, receiver, receiver)
  ;({ sender, receiver } = await run())
  const codes = await Promise.all([receiver.ended, sender.ended])
  kinds.push(
    receiver.events
      .filter(isPath)
      .map((event) => event.path.kind)
      .join(' → '),
  )
  const seconds = (performance.now() - started) / 1000
  const before = receiver.events.findLast(({ event }) => event === 'progress')?.bytesBefore
  const received = await sha256(join(into, NAME))
  const left = readdirSync(into)
  if (codes.some((code) => code !== 0) || received !== sent || left.length !== 1)
    throw new Error(
      `exited with ${codes}; ${sent} ${received}; ${left}\n${receiver.transcript()}\n${sender.transcript()}`,
    )
  return [
    kinds.join('; killed; '),
    `${FILE_BYTES / MIB} MiB in ${seconds.toFixed(0)} s, SHA-256 ${sent.slice(0, 8)}… at both peers`,
    `${Math.round(Number(before) / MIB)} MiB were there at the last start`,
  ].join('; ')
}

export const FILES: readonly Scenario[] = [
  {
    name: 'files',
    title: 'a file of 1 GiB while the path changes from relay to direct, resumed after both ends were killed twice',
    run: killedTwice,
  },
]
