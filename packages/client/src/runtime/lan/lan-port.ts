/** What LAN discovery takes from the system. */
import type { LanLink } from '../../core/lan/link.ts'
import type { LanCodec } from '../../core/lan/mdns.ts'
import type { DatagramSocket } from '../socket.ts'

export interface LanPort {
  codec(): Promise<LanCodec>
  /** Links to private networks, in a fixed order. */
  links(): readonly LanLink[]
  /** @throws Error when it cannot be opened: another program has the port for itself */
  open(link: LanLink): Promise<DatagramSocket>
}
