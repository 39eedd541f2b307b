/** Whether LAN discovery works on this host, for a diagnosis: it looks for itself, by multicast that comes back. */
import type { Endpoint, PeerId } from '@showchain/wire'
import { Lan } from './lan.ts'
import type { Runtime } from './runtime/runtime.ts'

/** What came of it. */
export interface LanMeasured {
  /** Names of the links to private networks. */
  readonly links: readonly string[]
  /** Whether this host heard its own question, and its own answer. */
  readonly heard: boolean
  /** Why there is no socket on a link. */
  readonly warnings: readonly string[]
}

export interface LanCheck {
  /** Within four seconds. */
  readonly measured: Promise<LanMeasured>
  close(): Promise<void>
}

/** Undefined: this system cannot take part. @param bound what the peer's socket is bound to */
export async function openLanCheck(
  { lan: port, clock, provider }: Runtime,
  self: PeerId,
  bound: readonly Endpoint[],
): Promise<LanCheck | undefined> {
  if (port === undefined) return undefined
  const warnings: string[] = []
  const onWarning = (sentence: string): void => void warnings.push(sentence)
  const lan = await Lan.open({ port, clock, provider, self, bound: () => bound, onWarning })
  const heard = new Promise<boolean>((resolve) => {
    lan.look(self, { found: () => resolve(true), silent: () => resolve(false) })
  })
  const { links } = lan.inspect()
  return { measured: heard.then((came) => ({ links, heard: came, warnings })), close: () => lan.close() }
}
