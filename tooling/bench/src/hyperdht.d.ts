/** What the benchmark uses of HyperDHT, which has no types of its own. */
declare module 'hyperdht' {
  import type { Duplex } from 'node:stream'

  interface Options {
    readonly bootstrap: readonly { readonly host: string; readonly port: number }[]
    readonly host: string
  }
  interface Server {
    readonly publicKey: Uint8Array
    listen(): Promise<void>
    close(): Promise<void>
  }
  export default class HyperDHT {
    constructor(options: Options)
    createServer(onConnection: (socket: Duplex) => void): Server
    connect(publicKey: Uint8Array): Duplex
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
