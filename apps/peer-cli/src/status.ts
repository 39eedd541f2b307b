/** `showchain status`: which programs of this user run on this host, and how their connections do. */
import { readdirSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { shownBytes, shownCount, shownTime } from './amounts.ts'
import { carriedBy, outputFor, short } from './output.ts'
import { isSocketName, runtimeFolder } from './runtime-folder.ts'
import { type ConnectionStatus, MAX_STATUS_BYTES, parseStatus, type Status } from './status-report.ts'

/** Programs that are asked. */
const MAX_PROGRAMS = 256
/** Milliseconds for an answer. */
const PATIENCE = 2000
const INDENT = '  '

/** @throws Reported */
export async function status(flags: { readonly json?: boolean }): Promise<void> {
  const output = outputFor(flags)
  try {
    const began = performance.now()
    const found = await running()
    if (found.length === 0) output.note('none', 'no showchain of this user runs on this host')
    for (const each of found) output.result('program', shown(each), { ...each })
    const seconds = Math.round(performance.now() - began) / 1000
    output.end({ bytes: { sent: 0, received: 0 }, seconds, path: undefined })
    await output.flushed()
  } catch (error) {
    throw output.failed(error)
  }
}

/** Those that answer, in the order of their start. */
async function running(): Promise<readonly Status[]> {
  const folder = runtimeFolder(false)
  if (folder === undefined) return []
  const names = readdirSync(folder).filter(isSocketName).slice(0, MAX_PROGRAMS)
  const answers = await Promise.all(names.map((name) => answerOf(join(folder, name))))
  return answers.filter((each) => each !== undefined).sort((a, b) => b.seconds - a.seconds)
}

/** A socket that nobody listens at is of a program that was killed: its file is removed. */
async function answerOf(path: string): Promise<Status | undefined> {
  try {
    return parseStatus(await readAll(path))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') rmSync(path, { force: true })
    return undefined
  }
}

function readAll(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = createConnection(path).setEncoding('utf8')
    const timer = setTimeout(() => socket.destroy(), PATIENCE)
    socket
      .on('data', (more: string) => {
        text += more
        if (text.length > MAX_STATUS_BYTES) socket.destroy()
      })
      .once('error', reject)
      .once('end', () => resolve(text))
      .once('close', () => {
        clearTimeout(timer)
        reject(new Error('no answer'))
      })
  })
}

function shown({ pid, command, id, seconds, relays, connections, more }: Status): string {
  return [
    `${command}  pid ${pid}, for ${shownTime(seconds)}, as ${short(id)}`,
    ...relays.map((relay) => `relay at ${relay.at}: ${relay.state}${carriedBy(relay)}${permitted(relay)}`),
    ...(connections.length === 0 ? ['no connection'] : connections.map(shownConnection)),
    ...(more === 0 ? [] : [`and ${shownCount(more, 'more connection')}`]),
  ].join(`\n${INDENT}`)
}

function permitted({ permitUntil }: Status['relays'][number]): string {
  if (permitUntil === undefined) return ''
  const left = permitUntil - Date.now()
  return left > 0 ? `, its permit ends in ${shownTime(left / 1000)}` : ', its permit has run out'
}

function shownConnection({ peer, path, rtt, sent, received }: ConnectionStatus): string {
  const way = path.kind === 'direct' ? `directly, to ${path.at}` : `through the relay at ${path.at}${carriedBy(path)}`
  const trip = rtt === undefined ? '' : `, round trip ${rtt.toFixed(1)} ms`
  const bytes = sent === undefined ? '' : `, ${shownBytes(sent)} sent, ${shownBytes(received ?? 0)} received`
  return `${short(peer)} ${way}${trip}${bytes}`
}
