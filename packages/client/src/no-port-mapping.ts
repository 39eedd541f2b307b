/** Port mapping of a peer without UDP, which pages need no more of. */
import type { PortMapping } from './core/index.ts'
import type { PortMappingOfPeer } from './runtime/port-mapping.ts'

/** What a peer has of it. */
export type PeerPortMapping = Pick<PortMappingOfPeer, 'addresses' | 'mapping' | 'inspect' | 'networkChanged' | 'close'>

const mapping: PortMapping = { state: 'none', cause: 'not asked', why: 'this system has no UDP' }

export const NO_PORT_MAPPING: PeerPortMapping = {
  ...{ addresses: [], mapping },
  inspect: () => ({ ...mapping, requests: 0, ignored: 0 }),
  networkChanged() {},
  close: async () => {},
}
