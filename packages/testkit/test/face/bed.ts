/**
 * Two peers of the public API on the simulated internet. A scenario is written as an application
 * is: it awaits what the API returns, and virtual time passes meanwhile. At its end everything is
 * closed, and nothing may stay behind.
 */
import type { Connection, Peer, Stream } from '@showchain/client'
import { duration } from '@showchain/client/core'
import { ShowchainError } from '@showchain/wire'
import { type Conditions, Internet, type PeerPlace, type Seed, type SimRelay } from '../../src/index.ts'

export interface Face {
  readonly internet: Internet
  readonly relay: SimRelay
  readonly alice: Peer
  readonly bob: Peer
}

export interface FaceOptions {
  readonly conditions?: Partial<Conditions>
  /** Of both peers. */
  readonly both?: PeerPlace
  readonly bob?: PeerPlace
}

/** Plays a scenario with two peers that are registered with a relay. */
export async function face(
  seed: Seed,
  scenario: (face: Face) => Promise<void>,
  { conditions = {}, both = {}, bob = {} }: FaceOptions = {},
): Promise<void> {
  await Internet.run(seed, { latency: duration(10), ...conditions }, async (internet) => {
    const relay = await internet.relay()
    const alice = await internet.peer({ name: 'alice', ...both })
    const other = await internet.peer({ name: 'bob', ...both, ...bob })
    await scenario({ internet, relay, alice, bob: other })
  })
}

/** A connection from Alice to Bob, and the same one at Bob's end. */
export async function connect({ alice, bob }: Face): Promise<readonly [Connection, Connection]> {
  const connection = await alice.connect(bob.ticket)
  return [connection, await take(bob.incoming)]
}

/** A stream that Alice opened, with its first bytes, and the same one at Bob's end. */
export async function streamOf(
  [ours, theirs]: readonly [Connection, Connection],
  first: Uint8Array = bytesOf('first'),
): Promise<readonly [Stream, Stream]> {
  const stream = await ours.openStream()
  await stream.write(first)
  return [stream, await take(theirs.streams)]
}

/** The next item of what never ends in this scenario. */
export async function take<Item>(items: AsyncIterator<Item>): Promise<Item> {
  const { value, done } = await items.next()
  if (done) throw new Error('It has ended.')
  return value
}

/** Lets virtual time pass. @param ms milliseconds */
export const wait = ({ internet }: Face, ms: number): Promise<void> => internet.wait(duration(ms))

/**
 * The state of a promise at this moment of virtual time: pending, done, or the code of its error.
 */
export function stateOf(promise: Promise<unknown>): Promise<string> {
  // Settled: the first link of its chain is there before the second of this one.
  const pending = Promise.resolve().then(() => undefined)
  return Promise.race([promise.then(() => 'done', codeOf), pending.then(() => 'pending')])
}

/** The error that a promise is rejected with. */
export const failureOf = (promise: Promise<unknown>): Promise<ShowchainError> =>
  promise.then(
    () => {
      throw new Error('It did not fail.')
    },
    (error: unknown) => {
      if (error instanceof ShowchainError) return error
      throw error
    },
  )

export const codeOf = (error: unknown): string => (error instanceof ShowchainError ? error.code : String(error))

/** Everything up to the end of a stream. @param pieces gets what comes, for streams that fail */
export async function readAll(stream: Stream, pieces: Uint8Array[] = []): Promise<Uint8Array> {
  for (let piece = await stream.read(); piece !== undefined; piece = await stream.read()) pieces.push(piece)
  return Buffer.concat(pieces)
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
export const textOf = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes)

/** Bytes of which any place differs from its neighbours. @param salt makes it another content */
export const contents = (length: number, salt = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + (index >>> 9) * 17 + salt) & 0xff)

export const same = (one: Uint8Array, other: Uint8Array): boolean => Buffer.compare(one, other) === 0
