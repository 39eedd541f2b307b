/**
 * What makes a Linux router a NAT of each kind: nftables. Netfilter's own NAT maps each flow; that it looks
 * endpoint-independent is port preservation. Cones need maps of their own, which say whom a packet from outside is for.
 */
export type NatKind = 'T1' | 'T2' | 'T3' | 'T4'
export const NAT_KINDS: readonly NatKind[] = ['T1', 'T2', 'T3', 'T4']

/** How long an idle mapping of a cone lives, in seconds; conntrack's own time for UDP that was answered. */
export const MAPPING_SECONDS = 120

/**
 * Without it a packet from outside that nobody wanted takes the flow's place in conntrack, and the next packet from
 * inside leaves from another port.
 */
const CLOSED = `table ip closed {
  chain input {
    type filter hook input priority 0;
    iifname "wan" ct state new drop
  }
}
`

const masquerade = (how: string): string => `table ip nat {
  chain post {
    type nat hook postrouting priority srcnat;
    oifname "wan" ${how}
  }
}
`

/** A map from the external port, and what else of the remote counts, to the host inside. */
const cone = (key: string, found: string, recorded: string, seconds: number): string => `table ip cone {
  map inside {
    type ${key} : ipv4_addr . inet_service
    flags dynamic,timeout
    timeout ${seconds}s
    size 65535
  }
  chain pre {
    type nat hook prerouting priority dstnat;
    iifname "wan" meta l4proto udp dnat ip to ${found} map @inside
  }
  chain record {
    type filter hook postrouting priority 110;
    oifname "wan" meta l4proto udp ct direction original update @inside { ${recorded} : ct original ip saddr . ct original proto-src }
  }
}
`

/** @param seconds that an idle mapping of T1 and T2 lives; conntrack has T3's and T4's. */
export function natRules(kind: NatKind, seconds: number): string {
  switch (kind) {
    case 'T1':
      return CLOSED + masquerade('masquerade') + cone('inet_service', 'udp dport', 'udp sport', seconds)
    case 'T2':
      return (
        CLOSED +
        masquerade('masquerade') +
        cone('inet_service . ipv4_addr', 'udp dport . ip saddr', 'udp sport . ip daddr', seconds)
      )
    case 'T3':
      return CLOSED + masquerade('masquerade')
    case 'T4':
      return CLOSED + masquerade('meta l4proto udp masquerade fully-random')
  }
}

/** Hosts inside reach each other by the external address (RFC 4787 §6, REQ-9). */
export const hairpinRules = (external: string, inside: string): string => `table ip hairpin {
  map inside {
    type inet_service : ipv4_addr . inet_service
    flags dynamic,timeout
    timeout ${MAPPING_SECONDS}s
    size 65535
  }
  chain pre {
    type nat hook prerouting priority dstnat - 5;
    iifname "lan" ip daddr ${external} meta l4proto udp dnat ip to udp dport map @inside
  }
  chain post {
    type nat hook postrouting priority srcnat - 5;
    oifname "lan" ip saddr ${inside} meta l4proto udp ct status dnat snat to ${external}
  }
  chain record {
    type filter hook postrouting priority 111;
    ip saddr ${external} meta l4proto udp ct direction original update @inside { udp sport : ct original ip saddr . ct original proto-src }
  }
}
`

/** No UDP gets through. */
export const BLOCKED = `table inet blocked {
  chain forward {
    type filter hook forward priority 0;
    meta l4proto udp drop
  }
}
`

/** Nothing to or from one address outside. */
export const cutRules = (ip: string): string => `table ip cut {
  chain forward {
    type filter hook forward priority -20;
    ip daddr ${ip} drop
    ip saddr ${ip} drop
  }
}
`

/** IPv6 is not translated: only answers come in (RFC 6092). */
export const FIREWALL6 = `table ip6 firewall {
  chain forward {
    type filter hook forward priority 0;
    iifname "wan" ct state new drop
  }
}
`

/** Loses so many packets of a hundred, each way. */
export const lossRules = (percent: number): string => `table inet loss {
  chain forward {
    type filter hook forward priority -10;
    meta l4proto udp numgen random mod 100 < ${percent} drop
  }
}
`
