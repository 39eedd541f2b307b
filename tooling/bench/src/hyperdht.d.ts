/** What the benchmark uses of HyperDHT and its relay, which have no types of their own. */
declare module 'hyperdht' {
  import type { Duplex } from 'node:stream'

  interface Options {
    readonly bootstrap: readonly { readonly host: string; readonly port: number }[]
    readonly host: string
    readonly quickFirewall?: boolean
    readonly ephemeral?: boolean
  }
  interface ServerOptions {
    readonly shareLocalAddress?: boolean
    readonly holepunch?: () => boolean
  }
  interface ConnectOptions {
    readonly relayThrough?: Uint8Array
    readonly fastOpen?: boolean
    readonly localConnection?: boolean
  }
  /** A stream that shows whose it is. */
  interface Socket extends Duplex {
    readonly remotePublicKey: Uint8Array
  }
  interface Server {
    readonly publicKey: Uint8Array
    listen(): Promise<void>
    close(): Promise<void>
  }
  export default class HyperDHT {
    constructor(options: Options)
    createServer(options: ServerOptions, onConnection: (socket: Socket) => void): Server
    connect(publicKey: Uint8Array, options: ConnectOptions): Socket
    createRawStream(options: object): Duplex
    fullyBootstrapped(): Promise<void>
    destroy(): Promise<void>
  }
}

declare module 'hyperdht/testnet.js' {
  interface Testnet {
    readonly bootstrap: readonly { readonly host: string; readonly port: number }[]
    destroy(): Promise<void>
  }
  export default function createTestnet(size: number, options: { readonly host: string }): Promise<Testnet>
}

declare module 'blind-relay' {
  import type { Duplex } from 'node:stream'

  export class Server {
    constructor(options: { readonly createStream: (options: object) => Duplex })
    accept(socket: Duplex, options: { readonly id: Uint8Array }): Duplex
  }
}
