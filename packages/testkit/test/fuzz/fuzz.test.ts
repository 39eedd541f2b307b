import { performance } from 'node:perf_hooks'
import { decode } from '@showchain/wire'
import { runs, SEED } from '@showchain-tooling/vitest/random'
import { describe, expect, type RunnerTestCase, test } from 'vitest'
import { FuzzInputs, fuzz } from '../../src/fuzz/fuzz.ts'
import { toHex } from '../../src/vectors/hex.ts'

describe('the decoders', () => {
  const SOME = runs(100_000)
  const MANY = 1_000_000
  test(
    `never throw, and take nothing that does not come back the same: ${SOME} datagrams`,
    { timeout: 0 },
    ({ task }) => tried(SOME, task),
  )
  test(
    `never throw, and take nothing that does not come back the same: ${MANY} datagrams`,
    { tags: ['long'] },
    ({ task }) => tried(MANY, task),
  )

  function tried(inputs: number, { meta }: RunnerTestCase): void {
    const report = fuzz({ seed: SEED, inputs })
    meta.inputs = report.inputs
    expect(report.findings.map(({ what, datagram }) => `${what}: ${toHex(datagram)}`)).toEqual([])
    expect(report.inputs).toBe(inputs)
    // a fuzzer whose inputs are all refused at the first byte would find nothing
    expect(report.accepted).toBeGreaterThan(inputs / 20)
  }

  test('take less than a millisecond for the datagrams that took longest', { timeout: 0 }, () => {
    // one long run says little on a busy machine: the slowest few run again, and their best time
    // counts
    const times = slowestOf(MEASURED).map((datagram) => ({ datagram, ms: bestTime(datagram) }))
    const worst = times.reduce((a, b) => (a.ms > b.ms ? a : b))
    console.info(
      `fuzz: slowest of ${MEASURED} inputs ${(worst.ms * 1000).toFixed(1)} µs, ${worst.datagram.length} bytes`,
    )
    expect(worst.ms, toHex(worst.datagram)).toBeLessThan(1)
  })
})

const MEASURED = 100_000
const KEPT = 20
const REPEATS = 20

function timeOf(datagram: Uint8Array): number {
  const start = performance.now()
  decode(datagram)
  return performance.now() - start
}

const bestTime = (datagram: Uint8Array): number => Math.min(...Array.from({ length: REPEATS }, () => timeOf(datagram)))

function slowestOf(count: number): readonly Uint8Array[] {
  const source = new FuzzInputs(SEED + 1)
  let slowest: { readonly datagram: Uint8Array; readonly ms: number }[] = []
  for (let input = 0; input < count; input++) {
    const datagram = source.next()
    const ms = timeOf(datagram)
    if (slowest.length === KEPT && ms <= (slowest.at(-1)?.ms ?? 0)) continue
    slowest = [...slowest, { datagram, ms }].toSorted((a, b) => b.ms - a.ms).slice(0, KEPT)
  }
  return slowest.map(({ datagram }) => datagram)
}

describe('the fuzzer', () => {
  test('gives the same inputs for the same seed', () => {
    const some = (from: number): readonly string[] => {
      const source = new FuzzInputs(from)
      return Array.from({ length: 200 }, () => toHex(source.next()))
    }
    expect(some(5)).toEqual(some(5))
    expect(some(5)).not.toEqual(some(6))
  })
})
