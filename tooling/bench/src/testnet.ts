/** HyperDHT's own test network, where HyperDHT is installed. */
import { LOOPBACK } from './loopback.ts'

/** The nodes to start from, and the key of the relay to go through. */
export interface Theirs {
  readonly bootstrap: readonly { readonly host: string; readonly port: number }[]
  readonly relay: string | undefined
}

export interface Testnet {
  readonly bootstrap: Theirs['bootstrap']
  destroy(): Promise<void>
}

const NODES = 3

const load = async (): Promise<typeof import('hyperdht/testnet.js')> => import('hyperdht/testnet.js')

/** Why there is no comparison with HyperDHT; undefined: it is there. */
export async function withoutHyperdht(): Promise<string | undefined> {
  try {
    await load()
    return undefined
  } catch (error) {
    const [why] = (error as Error).message.split('\n')
    return `NOT COMPARED WITH HYPERDHT, which does not load here (npm: hyperdht, blind-relay): ${why}`
  }
}

export async function openTestnet(): Promise<Testnet> {
  const { default: createTestnet } = await load()
  return createTestnet(NODES, { host: LOOPBACK })
}
