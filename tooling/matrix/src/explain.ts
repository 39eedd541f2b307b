/**
 * What the recording of a connection shows of a fault: when its end noticed, doubted the path, heard
 * something again, and took another one.
 */
import type { RecoveryOutcome } from '@showchain/testkit'

/** Milliseconds after the fault; undefined: it did not happen in the time that is looked at. */
export interface Explanation {
  /** The network was whole again. */
  readonly whole: number
  /** The first probe timeout: something is late. */
  readonly late: number | undefined
  /** The second one in a row: the path is in doubt. It is asked, and the standby gets copies. */
  readonly doubted: number | undefined
  /** The first record that came when the network was whole. */
  readonly heard: number | undefined
  /** The first change of path, and to which kind. */
  readonly moved: number | undefined
  readonly to: string | undefined
}

interface Event {
  readonly time: number
  readonly name: string
  readonly data: {
    readonly pto_count?: number
    readonly old?: object
    readonly new?: { readonly kind?: string }
  }
}

/** After it the connection may move for other reasons: an upgrade to a direct path. */
const LOOKED_AT = 10_000

/** A new session at the same address is the same path. */
const isAnother = (data: Event['data']): boolean => JSON.stringify(data.old) !== JSON.stringify(data.new)

export function explain({ recording, struck, whole }: RecoveryOutcome): Explanation {
  // The first text describes the recording.
  const events = recording.slice(1).map((text) => JSON.parse(text.slice(1)) as Event)
  const after = events.filter(({ time }) => time >= struck && time <= whole + LOOKED_AT)
  const first = (holds: (event: Event) => boolean): Event | undefined => after.find(holds)
  const ms = (event: Event | undefined): number | undefined => event && Math.round(event.time - struck)
  const moved = first(({ name, data }) => name === 'showchain:path_updated' && isAnother(data))
  const timeouts = (count: number): number | undefined =>
    ms(first(({ name, data }) => name === 'recovery:metrics_updated' && (data.pto_count ?? 0) >= count))
  return {
    whole: Math.round(whole - struck),
    late: timeouts(1),
    doubted: timeouts(2),
    heard: ms(first(({ name, time }) => name === 'transport:packet_received' && time > whole)),
    moved: ms(moved),
    to: moved?.data.new?.kind,
  }
}

/** A row of Markdown for each. */
export function explanationTable(rows: readonly (readonly [string, Explanation])[]): string {
  const seconds = (ms: number | undefined): string => (ms === undefined ? '–' : (ms / 1000).toFixed(2))
  return [
    '| fault | network whole | first probe timeout | in doubt | something came | another path |',
    '|---|---|---|---|---|---|',
    ...rows.map(([what, { whole, late, doubted, heard, moved, to }]) => {
      const path = to === undefined ? '–' : `${seconds(moved)} ${to}`
      return `| ${[what, seconds(whole), seconds(late), seconds(doubted), seconds(heard), path].join(' | ')} |`
    }),
  ].join('\n')
}
