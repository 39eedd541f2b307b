/** LAN discovery on Node. */
import { lanLinks } from './lan-links.ts'
import type { LanPort } from './lan-port.ts'
import { openMulticast } from './multicast-socket.ts'

/** The codec is loaded where it is used. */
export const nodeLan: LanPort = {
  codec: async () => (await import('./mdns-codec.ts')).mdnsCodec,
  links: () => lanLinks(),
  open: openMulticast,
}
