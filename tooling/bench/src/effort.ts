/**
 * How long and how often each thing is measured: all of it in four minutes, or just enough to see
 * that it runs.
 */
export interface Effort {
  /** Of one code path, in ms: warming up, and each sample. */
  readonly warmUp: number
  readonly sample: number
  /** Samples of everything. */
  readonly samples: number
  /** Proxied packets that are signed beforehand, and of these how many one machine is given. */
  readonly packets: number
  readonly machinePackets: number
  /** Registrations of each peer in one sample. */
  readonly registrations: number
  /**
   * Whether HyperDHT is measured too: on one host its holepunching takes several tries, of some
   * seconds each.
   */
  readonly hyperdht: boolean
  /** Connections of each kind that are timed: milliseconds, which vary with what else runs. */
  readonly connects: number
  /** Bytes of one stream. */
  readonly streamBytes: number
  /** Peers that a relay holds at once when its memory is measured. */
  readonly bindings: number
  /** How long each process in the middle is kept busy, for one sample. */
  readonly blastSeconds: number
  /** Peers of a relay, one size after the other, and channel frames of each sample then. */
  readonly growthSizes: readonly number[]
  readonly growthFrames: number
  /** Connections of a process, one number after the other, and how long it is watched then. */
  readonly connectionCounts: readonly number[]
  readonly idleSeconds: number
  /** Forged packets per second of a siege, and for how many seconds each kind. */
  readonly siegeRate: number
  readonly siegeSeconds: number
  /** Loopback addresses that they come from, in turn: each has its own rate at the target. */
  readonly siegeSources: number
  /** What a hostile peer sends of each kind. */
  readonly hostileBytes: number
}

export const FULL_EFFORT: Effort = {
  warmUp: 40,
  sample: 12,
  samples: 9,
  packets: 6000,
  machinePackets: 2000,
  registrations: 60,
  hyperdht: true,
  connects: 27,
  streamBytes: 256 * 1024 * 1024,
  bindings: 100_000,
  blastSeconds: 0.5,
  growthSizes: [1000, 10_000, 100_000],
  growthFrames: 200_000,
  connectionCounts: [1, 100, 1000],
  idleSeconds: 10,
  siegeRate: 50_000,
  siegeSeconds: 10,
  siegeSources: 1_000_000,
  hostileBytes: 4 * 1024 * 1024,
}

export const QUICK_EFFORT: Effort = {
  warmUp: 1,
  sample: 1,
  samples: 2,
  packets: 160,
  machinePackets: 160,
  registrations: 3,
  hyperdht: false,
  connects: 1,
  streamBytes: 1024 * 1024,
  bindings: 1000,
  blastSeconds: 0.02,
  growthSizes: [20, 200],
  growthFrames: 1000,
  connectionCounts: [1, 3],
  idleSeconds: 0.2,
  siegeRate: 2000,
  siegeSeconds: 0.3,
  siegeSources: 64,
  hostileBytes: 16 * 1024,
}
