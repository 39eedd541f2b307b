/** What the relay has: busy sessions, a sample of its peers, what it refuses, and the nodes of its fleet. */
import type { ComponentChildren } from 'preact'
import type { Status } from '../../src/status-shape.ts'
import { count, scaled, span } from './figures.ts'

interface Props {
  readonly status: Status
  /** Takes both ids into the question. */
  readonly onAsk: (pair: readonly [string, string]) => void
}

export function Tables({ status: { sessions, peers, refusals, nodes }, onAsk }: Props) {
  const ask = (one: string, other: string): void => {
    onAsk([one, other])
    document.querySelector<HTMLButtonElement>('form button')?.focus()
  }
  return (
    <>
      <Table
        id="sessions"
        title="Busiest sessions"
        empty="No session has carried anything."
        columns={['requester', 'target', 'forwarded#', 'open for#', 'quiet for#', 'begun by', '']}
      >
        {sessions.busiest.map((each) => (
          <tr key={each.session}>
            <th scope="row">
              <code>{each.requester}</code>
            </th>
            <td>
              <code>{each.target}</code>
            </td>
            <td class="number">{scaled(each.bytes, 'B')}</td>
            <td class="number">{span(each.ageSeconds)}</td>
            <td class="number">{span(each.idleSeconds)}</td>
            <td>{each.introduced ? 'introduction' : 'request'}</td>
            <td>
              <button
                type="button"
                onClick={() => ask(each.requester, each.target)}
                aria-label={`Ask why ${each.requester} and ${each.target} are relayed`}
              >
                Why?
              </button>
            </td>
          </tr>
        ))}
      </Table>
      <Table
        id="peers"
        title={`Peers: ${count(peers.shown.length)} of ${count(peers.count)}`}
        empty="No peer is registered."
        columns={['id', 'address', 'quiet for#']}
      >
        {peers.shown.map((each) => (
          <tr key={each.id}>
            <th scope="row">
              <code>{each.id}</code>
            </th>
            <td>{each.address}</td>
            <td class="number">{span(each.quietSeconds)}</td>
          </tr>
        ))}
      </Table>
      <Table
        id="refusals"
        title="Refusals by reason"
        empty="Nothing was refused."
        columns={['reason', 'count#', 'meaning']}
      >
        {refusals.map(({ reason, times, meaning }) => (
          <tr key={reason}>
            <th scope="row">
              <code>{reason}</code>
            </th>
            <td class="number">{count(times)}</td>
            <td>{meaning}</td>
          </tr>
        ))}
      </Table>
      <Table
        id="fleet"
        title="Fleet"
        empty="This relay is alone: it hears no other of a fleet."
        columns={['node', 'state', 'peers#', 'sessions#', 'addresses']}
      >
        {nodes.map(({ node, state, peers: bound, sessions: open, addresses }) => (
          <tr key={node}>
            <th scope="row">{node}</th>
            <td>{state}</td>
            <td class="number">{count(bound)}</td>
            <td class="number">{count(open)}</td>
            <td>{addresses.join(', ')}</td>
          </tr>
        ))}
      </Table>
    </>
  )
}

interface TableProps {
  readonly id: string
  readonly title: string
  /** Said in place of a table without rows. */
  readonly empty: string
  /** A name that ends in # is that of a column of numbers. */
  readonly columns: readonly string[]
  readonly children: readonly ComponentChildren[]
}

function Table({ id, title, empty, columns, children }: TableProps) {
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children.length === 0 ? (
        <p class="empty">{empty}</p>
      ) : (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                {columns.map((name) =>
                  name === '' ? (
                    <td key={name} />
                  ) : (
                    <th key={name} scope="col" class={name.endsWith('#') ? 'number' : undefined}>
                      {name.replace('#', '')}
                    </th>
                  ),
                )}
              </tr>
            </thead>
            <tbody>{children}</tbody>
          </table>
        </div>
      )}
    </section>
  )
}
