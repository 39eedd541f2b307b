/** What the tests of one relay's limits share: its process, started as often as a test wants, and peers at it. */
import { fileURLToPath } from 'node:url'
import { type Connection, Peer, type PeerOptions, type RelayEvent } from '@showchain/client'
import type { Identity } from '@showchain/crypto'
import { Folder, Program } from '@showchain-tooling/vitest/programs'
import { afterAll, afterEach } from 'vitest'

const BIN = fileURLToPath(new URL('../bin/showchain-relay.js', import.meta.url))

export interface RelayLab {
  readonly folder: Folder
  /** The program with these arguments alone. It ends with the test. */
  start(...args: readonly string[]): Program
  /** A relay with the identity of this lab, on a port of its own. */
  running(...args: readonly string[]): Program
}

/** For the whole file that calls it. */
export function relayLab(): RelayLab {
  const folder = new Folder()
  const programs: Program[] = []
  afterEach(() => {
    for (const program of programs.splice(0)) program.kill()
  })
  afterAll(() => folder.remove())
  const start = (...args: readonly string[]): Program => {
    const program = new Program(BIN, args)
    programs.push(program)
    return program
  }
  return {
    folder,
    start,
    running: (...args) =>
      start(
        ...['--identity', folder.file('relay.pem'), '--create-identity', '--listen', '127.0.0.1:0'],
        ...['--log-format', 'json', ...args],
      ),
  }
}

/** A peer that will register at the relay of this ticket, if it may. */
export const peerOf = (identity: Identity, relay: string, policy: PeerOptions['policy'] = 'auto'): Promise<Peer> =>
  Peer.open({ identity, relays: [relay], listen: [{ host: '127.0.0.1' }], addressPolicy: 'lab', policy })

/** Sends a text over a new stream. @returns what arrives */
export async function said(from: Connection, to: Connection, text: string): Promise<string> {
  const stream = await from.openStream()
  await stream.write(new TextEncoder().encode(text))
  await stream.end()
  const { value: received } = await to.streams.next()
  return new TextDecoder().decode(await received?.read())
}

/** More than the quotas of tests let through. */
const MUCH = new Uint8Array(400_000)

/** Sends by the relay until that stops it. @returns what it said */
export async function sendUntilLimited(from: Peer, to: Peer): Promise<RelayEvent> {
  const limited = new Promise<RelayEvent>((resolve) => {
    from.on('relay', (event) => event.state === 'limited' && resolve(event))
  })
  const stream = await (await from.connect(to.ticket, { via: 'relay-only' })).openStream()
  stream.write(MUCH).catch(() => {})
  return await limited
}

/** Why a new peer is not registered with the relay of a ticket. */
export async function refusalOf(identity: Identity, ticket: string): Promise<string> {
  await using late = await peerOf(identity, ticket)
  return await late.registered().then(() => 'registered', String)
}
