/** What the tests of an operator's side share: a relay as a process, with metrics. */
import { fileURLToPath } from 'node:url'
import { Peer, parseTicket } from '@showchain/client'
import { generateIdentity } from '@showchain/crypto'
import { Folder, Program } from '@showchain-tooling/vitest/programs'

const BIN = fileURLToPath(new URL('../bin/showchain-relay.js', import.meta.url))

export class OperatedRelay implements AsyncDisposable {
  readonly folder: Folder = new Folder()
  readonly program: Program
  ticket = ''
  /** Host and port of its metrics. */
  at = ''

  private constructor(args: readonly string[]) {
    const identity = this.folder.file('relay.pem')
    const common = ['--identity', identity, '--create-identity', '--listen', '127.0.0.1:0', '--log-format', 'json']
    this.program = new Program(BIN, [...common, '--metrics', '127.0.0.1:0', ...args])
  }

  static async start(...args: readonly string[]): Promise<OperatedRelay> {
    const relay = new OperatedRelay(args)
    relay.ticket = await relay.program.stdout.line(/./)
    const line = JSON.parse(await relay.program.stderr.line(/"msg":"metrics"/)) as { metrics: { port: number } }
    relay.at = `127.0.0.1:${line.metrics.port}`
    return relay
  }

  /** Where it takes datagrams, on loopback. */
  get port(): number {
    return parseTicket(this.ticket).addresses[0]?.port ?? 0
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://${this.at}/metrics`)).text()
  }

  /** One sample; its labels in the order that they are written in. */
  async sample(name: string): Promise<number> {
    const line = (await this.metrics()).split('\n').find((each) => each.startsWith(`${name} `))
    return Number(line?.slice(name.length))
  }

  /** A peer that is registered at it. */
  async peer(): Promise<Peer> {
    const peer = await this.newcomer()
    await peer.registered()
    return peer
  }

  /** A peer that will register at it, if it may. */
  async newcomer(): Promise<Peer> {
    return Peer.open({
      identity: await generateIdentity(),
      relays: [this.ticket],
      listen: [{ host: '127.0.0.1' }],
      addressPolicy: 'lab',
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.program.kill()
    await this.program.ended()
    this.folder.remove()
  }
}

/** Sends so many bytes from one peer to another by the relay. */
export async function sendRelayed(from: Peer, to: Peer, bytes: number): Promise<void> {
  const connection = await from.connect(to.ticket, { via: 'relay-only' })
  const { value: accepted } = await to.incoming.next()
  const stream = await connection.openStream()
  await stream.write(new Uint8Array(bytes))
  await stream.end()
  const { value: received } = (await accepted?.streams.next()) ?? {}
  for (let piece = await received?.read(); piece !== undefined; piece = await received?.read());
  await connection.close()
}
