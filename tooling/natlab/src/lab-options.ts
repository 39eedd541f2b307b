/** What is said of hosts and programs of the lab. */
export interface Host {
  readonly name: string
  readonly ip: string
  readonly ip6?: string
}

export interface PeerOptions {
  readonly args?: readonly string[] | undefined
  readonly echo?: boolean | undefined
  /** Bytes on stdin and stdout. */
  readonly pipe?: boolean | undefined
  /** Whether one that listens is waited for until it knows its NAT, which none does without UDP. @default true */
  readonly discoversNat?: boolean | undefined
  /** Path of what is its /etc/hosts. @default that of this machine */
  readonly hosts?: string | undefined
  /** `NAME=value` each, beside this process's own. @default none */
  readonly environment?: readonly string[] | undefined
}

/** What any command of `showchain` is started with. */
export type ProgramOptions = Pick<PeerOptions, 'pipe' | 'environment' | 'hosts'>

/** How a relay takes WebSocket connections. */
export type RelayWebSocket = 'plain' | 'tls'

export interface RelayOptions {
  /** IP families that it listens on. @default IPv4 alone */
  readonly families?: readonly (4 | 6)[]
  readonly mailbox?: boolean
  /** @default it takes none */
  readonly websocket?: RelayWebSocket
}
