/** What one check of a diagnosis found. */

/** Something about this host or its network that keeps peers from connecting well, or does not. */
export interface Finding {
  /**
   * - `socket`: who makes the system calls, and what the kernel grants
   * - `udp`: whether anything answers over UDP
   * - `ipv4`, `ipv6`: whether relays answer over this family
   * - `relay`: one relay: its round trip and registration
   * - `permit`: how long the permit in its ticket holds, where there is one that can be read
   * - `packetSize`: whether the largest datagrams of the protocol arrive
   * - `nat`: which type of NAT is in front
   * - `portMapping`: whether the router in front lets everybody in at a port of this host
   * - `clock`: whether this host's clock is near that of a relay
   * - `lan`: whether peers of this host's private networks find it, where that was asked
   * - `hairpin`: whether two peers behind that NAT reach each other by its outside address
   */
  readonly check:
    | 'socket'
    | 'udp'
    | 'ipv4'
    | 'ipv6'
    | 'relay'
    | 'permit'
    | 'packetSize'
    | 'clock'
    | 'nat'
    | 'portMapping'
    | 'lan'
    | 'hairpin'
  /** `unknown`: it could not be told, and `found` says why. */
  readonly verdict: 'good' | 'bad' | 'unknown'
  /** A sentence for people. */
  readonly found: string
  /** What one can do about what is bad. */
  readonly advice?: string | undefined
}
