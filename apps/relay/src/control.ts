/**
 * The socket of `showchain-relay ctl`: HTTP on a Unix socket that only its owner can use (mode 0600).
 * What it lists comes in pages, so that no request takes long.
 */

import { unlink } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { connect } from 'node:net'
import type { Ban, Relay } from '@showchain/server/runtime'
import { type PeerId, parsePeerId, ShowchainError } from '@showchain/wire'
import type { Logger } from 'pino'
import * as z from 'zod'
import { givenBan, type KeptBans, named } from './bans.ts'
import { closeServer } from './close-server.ts'

/** Bytes of a request. */
const MAX_BODY = 4096
/** Rows of bindings in a page. */
const MAX_PAGE = 1000
const OWNER_ONLY = 0o177
/** Requests at a time. */
const MAX_CONNECTIONS = 16

/** What is acted on: a relay, or the workers of one. */
export interface ControlledRelay {
  bindings(from: number, rows: number): Maybe<ReturnType<Relay['bindings']>>
  kick(id: PeerId): Maybe<boolean>
  ban(ban: Ban): Maybe<boolean>
  unban(who: string): Maybe<boolean>
  readonly bans: readonly Ban[]
}

type Maybe<Value> = Value | Promise<Value>

export interface Controlled {
  readonly relay: ControlledRelay
  /** Where bans are kept; undefined: until the relay ends. */
  readonly bans: KeptBans | undefined
  readonly drain: () => void
  readonly log: Logger
}

const page = z.strictObject({ from: z.number().int().min(0), rows: z.number().int().min(1).max(MAX_PAGE) })

type Command = (body: unknown) => unknown

function commandsOf({ relay, bans, drain }: Controlled): Readonly<Record<string, Command>> {
  return {
    list: (body) => {
      const { from, rows } = page.parse(body)
      return relay.bindings(from, rows)
    },
    bans: () => ({ bans: relay.bans }),
    kick: async (body) => ({ done: await relay.kick(parsePeerId(named.parse(body).who)) }),
    ban: async (body) => {
      const done = await relay.ban(givenBan.parse(body))
      await bans?.keep()
      return { done }
    },
    unban: async (body) => {
      const done = await relay.unban(named.parse(body).who)
      await bans?.keep()
      return { done }
    },
    drain: () => {
      drain()
      return { done: true }
    },
  }
}

/** @throws ShowchainError `ERR_CANNOT_LISTEN` */
export async function openControl(path: string, controlled: Controlled): Promise<{ close(): Promise<void> }> {
  const commands = commandsOf(controlled)
  const server = createServer(async (request, response) => {
    const name = (request.url ?? '').slice(1)
    const command = request.method === 'POST' && Object.hasOwn(commands, name) ? commands[name] : undefined
    try {
      if (command === undefined) throw new Error('no such command')
      const answer = await command(await bodyOf(request))
      if (name !== 'list' && name !== 'bans') controlled.log.info({ command: name }, 'ctl')
      response.end(JSON.stringify(answer))
    } catch (error) {
      response.writeHead(400).end(JSON.stringify({ error: (error as Error).message }))
    }
  })
  server.maxConnections = MAX_CONNECTIONS
  await listen(server, path)
  return { close: () => closeServer(server) }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > MAX_BODY) throw new Error('the request is too long')
  }
  return text === '' ? {} : JSON.parse(text)
}

/** A socket that a killed relay left behind is in nobody's use. */
async function listen(server: Server, path: string): Promise<void> {
  try {
    await listenOnce(server, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || (await answers(path))) throw cannot(path, error)
    await unlink(path)
    await listenOnce(server, path).catch((again: unknown) => {
      throw cannot(path, again)
    })
  }
}

const cannot = (path: string, cause: unknown): ShowchainError =>
  new ShowchainError('ERR_CANNOT_LISTEN', `control: ${path}: ${(cause as Error).message}.`, { cause })

function listenOnce(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // From its first moment on nobody else can use it: the socket is made before `listen` returns.
    const before = process.umask(OWNER_ONLY)
    try {
      server.listen(path, () => {
        server.off('error', reject)
        resolve()
      })
    } finally {
      process.umask(before)
    }
  })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
