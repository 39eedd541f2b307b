/**
 * nftables rules that make a Linux router a NAT of each kind. Netfilter maps each flow by itself;
 * port preservation makes that mapping look endpoint-independent. Cones (T1, T2) need a map from
 * the external port to the host inside, for packets of other flows.
 */
export type NatKind = 'T1' | 'T2' | 'T3' | 'T4'
export const NAT_KINDS: readonly NatKind[] = ['T1', 'T2', 'T3', 'T4']

/** Lifetime of an idle mapping of a cone, in seconds: conntrack's timeout of a UDP stream. */
export const MAPPING_SECONDS = 120

/**
 * Drops unsolicited packets. Otherwise one would create a conntrack entry that occupies the
 * external port, and the next packet from inside would leave from a different port.
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

/**
 * A map from the external port, and what the filtering compares of the remote, to the host inside.
 */
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

/** @param seconds lifetime of an idle mapping of T1 and T2; conntrack keeps those of T3 and T4 */
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

/** Drops all UDP. */
export const BLOCKED = `table inet blocked {
  chain forward {
    type filter hook forward priority 0;
    meta l4proto udp drop
  }
}
`

/** Drops all but what goes by TCP to one address outside, and comes from there. */
export const onlyRules = (ip: string): string => `table inet only {
  chain forward {
    type filter hook forward priority 0;
    ip daddr ${ip} meta l4proto tcp accept
    ip saddr ${ip} meta l4proto tcp accept
    drop
  }
}
`

/** Drops packets to and from one address outside. */
export const partitionRules = (ip: string): string => `table ip partition {
  chain forward {
    type filter hook forward priority -20;
    ip daddr ${ip} drop
    ip saddr ${ip} drop
  }
}
`

/** Megabytes a second that go to or come from an address outside; what is more is dropped. */
export const slowRules = (ip: string, megabytes: number): string => `table ip slow {
  chain forward {
    type filter hook forward priority -1
    ip saddr ${ip} limit rate over ${megabytes} mbytes/second burst 1 mbytes drop
    ip daddr ${ip} limit rate over ${megabytes} mbytes/second burst 1 mbytes drop
  }
}
`

/** IPv6 is not translated; a stateful firewall drops unsolicited packets (RFC 6092). */
export const FIREWALL6 = `table ip6 firewall {
  chain forward {
    type filter hook forward priority 0;
    iifname "wan" ct state new drop
  }
}
`

/** Drops packets at random, in each direction. */
export const lossRules = (percent: number): string => `table inet loss {
  chain forward {
    type filter hook forward priority -10;
    meta l4proto udp numgen random mod 100 < ${percent} drop
  }
}
`

/** What miniupnpd fills: where it lets packets in, and where they go. */
export const MAPPING_TABLE = `table inet opened {
  chain forward {
    type filter hook forward priority 1; policy accept;
    jump allowed
  }
  chain allowed { }
  chain pre {
    type nat hook prerouting priority dstnat - 10;
    jump inside
  }
  chain inside { }
  chain post {
    type nat hook postrouting priority srcnat - 10;
    jump outside
  }
  chain outside { }
}
`

/** Drops IPv6 that it would forward. */
export const WITHOUT_IPV6 = `table ip6 silent {
  chain forward {
    type filter hook forward priority 0; policy drop;
  }
}
`

/** Drops PCP, whose first byte is its version 2, and not NAT-PMP, whose is 0 (RFC 6887 §9). */
export const WITHOUT_PCP = `table ip pcp {
  chain input {
    type filter hook input priority 0;
    iifname "lan" udp dport 5351 @th,64,8 2 drop
  }
}
`
