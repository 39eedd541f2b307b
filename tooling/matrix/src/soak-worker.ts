/** Plays the seeds that it is given, one after the other, and tells of each. */
import { parentPort } from 'node:worker_threads'
import { soak } from '@showchain/testkit'
import type { SoakReport } from './soak.ts'

parentPort?.on('message', async (seed: number) => {
  // A failed scenario prints its timeline, which the main thread asks for by playing the seed
  // again.
  const report: SoakReport = await soak(seed).then(
    (outcome) => ({ seed, outcome }),
    (error: unknown) => ({ seed, failure: error instanceof Error ? error.message : String(error) }),
  )
  parentPort?.postMessage(report)
})
