/** What the processes of one relay ask each other. */
import type { BanRecord, BoundPeer, PairView, PeerView, Usage, UsedBytes } from '@showchain/server/runtime'
import type { Endpoint, PeerId } from '@showchain/wire'
import type { MetricObjectWithValues, MetricValue } from 'prom-client'
import type { Config } from '../config.ts'
import type { Status } from '../status-shape.ts'

/** A configuration on its way: a URL is not cloned. */
export interface CarriedConfig extends Omit<Config, 'accessUrl'> {
  readonly accessUrl?: string | undefined
}

export const carried = ({ accessUrl, ...config }: Config): CarriedConfig => ({ ...config, accessUrl: accessUrl?.href })

export const taken = ({ accessUrl, ...config }: CarriedConfig): Config => ({
  ...config,
  accessUrl: accessUrl === undefined ? undefined : new URL(accessUrl),
})

/** What a worker begins with. */
export interface Assignment {
  readonly config: CarriedConfig
  /** Its number among the workers. */
  readonly worker: number
  /** Numbers of all workers in the fleet that they are, or are in. */
  readonly nodes: readonly number[]
  /** Whether each gets the channel frames of its own sessions. */
  readonly beside: boolean
  readonly secret: Uint8Array
  readonly bans: readonly BanRecord[]
  /** Descriptors of its sockets. */
  readonly shared: { readonly own: readonly number[]; readonly stunAlternates: readonly (readonly number[])[] }
}

/** A worker serves. */
export interface Ready {
  readonly id: PeerId
  readonly ticket: string
  readonly addresses: readonly Endpoint[]
  readonly websocket: Endpoint | undefined
}

/** A metric of one worker. */
export type Metric = MetricObjectWithValues<MetricValue<string>>

/** Of the primary, to each worker. */
export interface PrimaryOffers {
  assignment(): Assignment
  ready(ready: Ready): void
  /** What all workers used together. */
  read(keys: readonly string[]): readonly Usage[] | Promise<readonly Usage[]>
  used(used: readonly UsedBytes[]): void
  /** What was said of bans, here or at another node of the fleet. */
  banned(records: readonly BanRecord[]): void
  /** Where a peer is registered that is not at the worker who asks, as limits name it. */
  sourceOf(id: PeerId): Promise<string | undefined>
}

/** Of each worker, to the primary. */
export interface WorkerOffers {
  /** Opens the mailbox. @returns its id */
  mailbox(): Promise<PeerId | undefined>
  metrics(): Promise<readonly Metric[]>
  status(): Status | undefined
  named(beginning: string, most: number): Promise<readonly PeerView[]>
  pair(one: PeerView, other: PeerView): PairView
  bindings(from: number, rows: number): { readonly bindings: readonly BoundPeer[]; readonly next: number | undefined }
  kick(id: PeerId): boolean
  learnBans(records: readonly BanRecord[]): void
  sourceOf(id: PeerId): string | undefined
  usedElsewhere(used: readonly UsedBytes[]): void
  /** @returns whether it was taken */
  reload(config: CarriedConfig): Promise<boolean>
  drain(): void
  end(): void
}
