/** Plays the faults of a path with many seeds, and summarises the silences. */
import { playRecovery, RECOVERY_FAULTS, type RecoveryFault, type RecoveryPlay } from '@showchain/testkit'
import { type Explanation, explain } from './explain.ts'

export interface RecoveryRow extends Omit<RecoveryPlay, 'seed' | 'recorded'> {
  readonly fault: string
  /** Milliseconds, as are the silences. */
  readonly goal: number
  readonly runs: number
  /** Runs after which both ends still had their connection. */
  readonly survived: number
  readonly median: number
  readonly worst: number
}

/** @param only faults whose name contains it */
export async function* recoveryRows(only: string, seeds: number): AsyncGenerator<RecoveryRow> {
  for (const fault of RECOVERY_FAULTS.filter(({ name }) => name.includes(only)))
    for (const pair of fault.pairs)
      for (const traffic of ['datagrams', 'stream'] as const)
        for (const idle of [false, true]) yield await measureRecovery(fault, { pair, traffic, idle }, seeds)
}

/** One run of each fault, busy with datagrams, as its recording shows it. */
export async function explanations(only: string): Promise<readonly (readonly [string, Explanation])[]> {
  const rows: (readonly [string, Explanation])[] = []
  for (const fault of RECOVERY_FAULTS.filter(({ name }) => name.includes(only)))
    for (const pair of fault.pairs) {
      const outcome = await playRecovery(fault, { pair, traffic: 'datagrams', idle: false, seed: 0, recorded: true })
      rows.push([`${fault.name}, ${pair}`, explain(outcome)])
    }
  return rows
}

export async function measureRecovery(
  fault: RecoveryFault,
  how: Omit<RecoveryPlay, 'seed' | 'recorded'>,
  seeds: number,
): Promise<RecoveryRow> {
  const silences: number[] = []
  let survived = 0
  for (let seed = 0; seed < seeds; seed++) {
    const outcome = await playRecovery(fault, { ...how, seed })
    silences.push(outcome.silence)
    if (outcome.survived) survived++
  }
  silences.sort((one, other) => one - other)
  const [median, worst] = [silences[seeds >> 1] ?? 0, silences.at(-1) ?? 0]
  return { fault: fault.name, goal: fault.goal, ...how, runs: seeds, survived, median, worst }
}

export const meetsGoal = ({ worst, goal, survived, runs }: RecoveryRow): boolean => worst <= goal && survived === runs
