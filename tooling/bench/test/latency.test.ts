import { expect, test } from 'vitest'
import { latencyTable } from '../src/latency.ts'

test('the latency of a relay is compared with that of the forwarder within each round', () => {
  const { rows } = latencyTable([
    { name: 'relay', p50: [10, 20, 60], p99: [50, 100, 300] },
    { name: 'forwarder', p50: [20, 40, 120], p99: [100, 100, 100] },
  ])
  expect(rows.map(({ name }) => name)).toEqual(['relay', 'forwarder', 'relay : forwarder'])
  expect(rows[2]?.cells).toEqual([{ times: 0.5 }, { times: 1 }])
})
