/** What port mapping by UPnP takes from the system. */
import type { UpnpAnswer } from '../../core/nat/mapping-exchange.ts'
import type { MappingRequest } from '../../core/nat/mapping-messages.ts'

/** Asks routers by UPnP IGD, and remembers what it had mapped. Neither method rejects. */
export interface UpnpPort {
  /** @param gateway address of the router: nobody else is asked, whatever it says */
  map(gateway: string, request: MappingRequest, signal: AbortSignal): Promise<UpnpAnswer>
  /** Ends what may be mapped. */
  remove(signal: AbortSignal): Promise<void>
}
