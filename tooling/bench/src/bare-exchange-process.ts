/**
 * One end of the least that a connection with these identities can be: a request and an answer over the same
 * sockets, as long as a 0x101 and a 0x102, with the same cryptography, and no protocol. Nothing is admitted,
 * asked, remembered or repeated, and no connection comes of it.
 */
import { randomBytes } from 'node:crypto'
import { openUdp, type UdpSocket } from '@showchain/client/runtime'
import { generateIdentity, type Identity, nodeEndToEnd, openssl } from '@showchain/crypto'
import type { Endpoint } from '@showchain/wire'
import { serve } from './child.ts'
import type { ConnectRequest } from './connect-process.ts'
import { LOOPBACK } from './loopback.ts'

/** What stands before the key: op code, ids and numbers. */
const HEAD = 100
/** A public key of RSA-2048, and a signature. */
const [KEY, SIGNATURE] = [294, 256]
const DH = 32
/** In the answer: what says that its sender has the keys. */
const OFFER = 9
const TAG = 16
const NONCE = new Uint8Array(12)
const NOTHING = new Uint8Array(0)

const crypto = nodeEndToEnd()
const identity: Identity = await generateIdentity()
const { spki } = identity.publicKey
let ephemeral = freshKey()
let socket: UdpSocket | undefined
/** What the requester sent, and who waits for the answer. */
let asked: { readonly request: Uint8Array; answered(): void } | undefined

function freshKey(): { readonly privateKey: Uint8Array; readonly publicKey: Uint8Array } {
  const privateKey = randomBytes(DH)
  return { privateKey, publicKey: crypto.x25519Public(privateKey) }
}

const of = (message: Uint8Array, at: number, length: number): Uint8Array => message.subarray(at, at + length)
const peerOf = (message: Uint8Array): Uint8Array => of(message, HEAD, KEY)
const ephemeralOf = (message: Uint8Array): Uint8Array => of(message, HEAD + KEY, DH)
const unsigned = (message: Uint8Array): Uint8Array => message.subarray(0, message.length - SIGNATURE)

function message(extra: number): Uint8Array {
  const bytes = new Uint8Array(HEAD + KEY + DH + extra + SIGNATURE)
  bytes.set(spki, HEAD)
  bytes.set(ephemeral.publicKey, HEAD + KEY)
  return bytes
}

function signed(bytes: Uint8Array): Uint8Array {
  bytes.set(identity.signNow?.(unsigned(bytes)) ?? NOTHING, bytes.length - SIGNATURE)
  return bytes
}

const verified = (bytes: Uint8Array): boolean =>
  openssl.verify(openssl.importPublicKey(peerOf(bytes)), unsigned(bytes), bytes.subarray(bytes.length - SIGNATURE))

/** Of the shared secret, under what the requester said. */
function keyOf(request: Uint8Array, remote: Uint8Array): Uint8Array {
  const shared = crypto.x25519(ephemeral.privateKey, ephemeralOf(remote))
  return openssl.hmacSha256(openssl.sha256(unsigned(request)), shared ?? NOTHING)
}

function answer(request: Uint8Array, source: Endpoint): void {
  if (!verified(request)) return
  const bytes = message(OFFER + TAG)
  crypto.aead(keyOf(request, request)).seal(NONCE, NOTHING, new Uint8Array(OFFER), bytes, HEAD + KEY + DH)
  socket?.send(source, signed(bytes))
  setImmediate(() => {
    ephemeral = freshKey()
  })
}

function conclude(bytes: Uint8Array): void {
  if (asked === undefined || !verified(bytes)) return
  const sealed = of(bytes, HEAD + KEY + DH, OFFER + TAG)
  if (crypto.aead(keyOf(asked.request, bytes)).open(NONCE, NOTHING, sealed) !== undefined) asked.answered()
}

async function open(): Promise<number> {
  socket = await openUdp({ listen: [{ host: LOOPBACK, port: 0 }] })
  socket.onDatagrams((batch) => {
    for (const { bytes, source } of batch)
      if (asked === undefined) answer(bytes, source)
      else conclude(bytes)
  })
  return socket.localEndpoints[0]?.port ?? 0
}

/** @returns milliseconds until the answer was read */
async function ask(port: number): Promise<number> {
  const started = performance.now()
  await new Promise<void>((answered) => {
    const request = signed(message(0))
    asked = { request, answered }
    socket?.send({ ip: LOOPBACK, port }, request)
  })
  return performance.now() - started
}

async function reply(request: ConnectRequest): Promise<string | number | undefined> {
  if (request.type === 'listen') return String(await open())
  if (request.type === 'connect') return ask(Number(request.to))
  if (request.type === 'prepare') {
    if (socket === undefined) await open()
    ephemeral = freshKey()
  }
  asked = undefined
  return undefined
}

serve(reply)
