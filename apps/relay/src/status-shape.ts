/** What the status page is told, as JSON: the one thing that the relay and the page have in common. */

export interface Status {
  readonly relay: {
    readonly id: string
    readonly shortId: string
    readonly version: string
    readonly node: string
    /** Who makes the system calls. */
    readonly socket: string
    readonly uptimeSeconds: number
    readonly draining: boolean
  }
  readonly peers: { readonly count: number; readonly shown: readonly PeerRow[] }
  readonly sessions: { readonly count: number; readonly busiest: readonly SessionRow[] }
  /** What became of pairs, since the start. */
  readonly pairs: { readonly left: number; readonly relayed: number; readonly unanswered: number }
  /** Forwarded bytes a second, oldest first. */
  readonly history: {
    readonly stepSeconds: number
    /** Unix time of the last step's end, in seconds. */
    readonly endsAt: number
    readonly in: readonly number[]
    readonly out: readonly number[]
  }
  /** Those that there were, the most frequent first. */
  readonly refusals: readonly { readonly reason: string; readonly times: number; readonly meaning: string }[]
  /** Of a fleet: the other nodes that were heard within 16 s, and what each said last. */
  readonly nodes: readonly NodeRow[]
}

export interface PeerRow {
  readonly id: string
  readonly address: string
  readonly quietSeconds: number
}

export interface SessionRow {
  readonly session: string
  readonly requester: string
  readonly target: string
  readonly introduced: boolean
  readonly bytes: number
  readonly ageSeconds: number
  readonly idleSeconds: number
}

export interface NodeRow {
  readonly node: number
  readonly state: 'serves' | 'drains'
  readonly peers: number
  readonly sessions: number
  readonly addresses: readonly string[]
}

/** Why a pair is relayed, or why that cannot be said. */
export interface PairAnswer {
  readonly sentences: readonly string[]
}
