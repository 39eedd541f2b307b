/** Who this relay is, and the four figures that say how it does. */
import type { Status } from '../../src/status-shape.ts'
import { count, scaled, span } from './figures.ts'

const BITS = 8

export function Overview({ status }: { readonly status: Status }) {
  const { relay, peers, sessions, pairs, history } = status
  const answered = pairs.left + pairs.relayed
  const now = history.out.at(-1) ?? 0
  return (
    <header>
      <h1>
        Relay <code title={relay.id}>{relay.shortId}</code>
        <span class={`state ${relay.draining ? 'draining' : 'running'}`}>
          {relay.draining ? 'draining' : 'running'}
        </span>
      </h1>
      <p class="facts">
        Release {relay.version} on Node.js {relay.node}, sockets: {relay.socket}, for {span(relay.uptimeSeconds)}
      </p>
      <dl class="cards">
        <Card name="Peers" value={count(peers.count)} note="registered now" />
        <Card name="Sessions" value={count(sessions.count)} note="open, 10 min after their last use at most" />
        <Card name="Forwarded" value={scaled(now * BITS, 'bit/s')} note={`of the last ${history.stepSeconds} s`} />
        <Card
          name="Direct share"
          value={answered === 0 ? '–' : `${Math.round((100 * pairs.left) / answered)} %`}
          note={`${count(pairs.left)} of ${count(answered)} pairs left the relay; ${count(pairs.unanswered)} got no answer`}
        />
      </dl>
    </header>
  )
}

function Card({ name, value, note }: { readonly name: string; readonly value: string; readonly note: string }) {
  return (
    <div class="card">
      <dt>{name}</dt>
      <dd class="value">{value}</dd>
      <dd class="note">{note}</dd>
    </div>
  )
}
