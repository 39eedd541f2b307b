/** The tables of a relay, which tell its owner what begins and ends. */
import { type Binding, Bindings } from './bindings.ts'
import type { PairPaths } from './pair-paths.ts'
import { ProxySessionTable } from './proxy-session-table.ts'
import type { RelayContext } from './relay-context.ts'
import { sessionEvents } from './session-events.ts'

export function relayBindings(
  { limits, count, outbox }: RelayContext,
  ended: (binding: Binding, row: number) => void,
): Bindings {
  return new Bindings({
    limits,
    ended: (binding, why, row) => {
      const { id, source } = binding
      if (why === 'evicted') count('bindingEvicted')
      ended(binding, row)
      outbox.event({ type: 'unbound', id, at: source, why })
    },
  })
}

/** @param node of a fleet */
export function relaySessions(
  context: RelayContext,
  bindings: Bindings,
  pairs: PairPaths,
  node: number | undefined,
): ProxySessionTable {
  return new ProxySessionTable({ limits: context.limits, bindings, node, ...sessionEvents(context, pairs) })
}
