/**
 * The simulated internet: how long virtual minutes take, beside the same number of packets with
 * nobody behind them.
 */
import { duration } from '@showchain/client/core'
import { Internet, nat, type SimPeer, Simulation } from '@showchain/testkit'
import type { Effort } from './effort.ts'
import { type Figure, type Findings, figure, times } from './figures.ts'

const NODES = 20
const TEN_MINUTES = duration(600_000)
const KINDS = ['T1', 'T2', 'T3', 'T4'] as const

export async function internet(effort: Effort): Promise<Findings> {
  const [machines, bare, packets]: [number[], number[], number[]] = [[], [], []]
  for (let sample = 0; sample < effort.samples; sample++) {
    let started = performance.now()
    const sent = await tenMinutes(sample)
    machines.push(performance.now() - started)
    started = performance.now()
    carryAlone(sent)
    bare.push(performance.now() - started)
    packets.push(sent)
  }
  const [all, alone]: [Figure, Figure] = [figure(machines, 'ms'), figure(bare, 'ms')]
  return {
    tables: [
      {
        title: 'The simulated internet: 10 virtual minutes',
        columns: ['what', 'time', 'times'],
        rows: [
          { name: 'a network and as many datagrams', cells: [alone, { times: 1 }] },
          { name: `${NODES} nodes, each with its NAT, ${NODES / 2 - 1} connections`, cells: [all, times(all, alone)] },
        ],
        notes: [
          `The machines of life, sending ${Math.min(...packets)} to ${Math.max(...packets)} packets. RSA is pretended.`,
        ],
      },
    ],
  }
}

/** @returns packets that were sent. */
async function tenMinutes(seed: number): Promise<number> {
  const { sim } = await Internet.run(seed, {}, async (it) => {
    await it.relay()
    const peers: SimPeer[] = []
    for (let index = 1; index < NODES; index++)
      peers.push(await it.simPeer({ behind: nat[KINDS[index % KINDS.length] as 'T1']() }))
    for (const [index, peer] of peers.entries()) {
      const other = peers[index + 1]
      if (index % 2 === 0 && other !== undefined) await peer.connect(other)
    }
    it.advance(TEN_MINUTES)
  })
  return sim.timeline.sent
}

function carryAlone(packets: number): void {
  const sim = new Simulation('alone')
  const [alice, bob] = [sim.host('alice', '81.2.0.1').socket(), sim.host('bob', '81.2.0.2').socket(4000)]
  bob.onDatagrams(() => {})
  const bytes = new Uint8Array(50)
  for (let sent = 0; sent < packets; sent++) {
    alice.send({ ip: '81.2.0.2', port: 4000 }, bytes)
    sim.advance(duration(60))
  }
}
