/**
 * Runs every check of the golden vectors against an implementation. It needs no test framework: the
 * results are a list.
 */
import { plainFrames } from '../vectors/end-to-end/plain-frames.ts'
import { fromHex } from '../vectors/hex.ts'
import { conformanceChecks } from './checks.ts'
import type { PlainCertificate } from './end-to-end-operations.ts'
import type { Check, Implementation, Operation, Operations } from './operations.ts'
import { ownImplementation } from './own.ts'

/** How one check ended. */
export type ConformanceResult = {
  readonly vector: string
  readonly operation: Operation
} & (
  | { readonly outcome: 'passed' | 'skipped' }
  /** The expected and the actual result, or the error, as text. */
  | { readonly outcome: 'failed'; readonly expected: string; readonly got: string }
)

/** Thrown by an implementation that does not support the operation. */
export class UnsupportedOperation extends Error {
  override readonly name = 'UnsupportedOperation'
}

/** Thrown by an implementation that will never answer again: its process has exited. */
export class ImplementationGone extends Error {
  override readonly name = 'ImplementationGone'
}

/** Results in the order of the vectors. The run ends early when the implementation is gone. */
export async function runConformance(implementation: Implementation): Promise<readonly ConformanceResult[]> {
  const results: ConformanceResult[] = []
  for (const check of conformanceChecks()) {
    const { result, gone } = await runCheck(implementation, check)
    results.push(result)
    if (gone) break
  }
  return results
}

/** Whether the results show conformance: no failed check, and at least one that passed. */
export function conforms(results: readonly ConformanceResult[]): boolean {
  const { passed, failed } = tally(results)
  return passed > 0 && failed === 0
}

/** The number of results of each outcome. */
export function tally(results: readonly ConformanceResult[]): Readonly<Record<ConformanceResult['outcome'], number>> {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const { outcome } of results) counts[outcome]++
  return counts
}

interface Asked {
  readonly result: ConformanceResult
  readonly gone: boolean
}

async function runCheck(implementation: Implementation, check: Check): Promise<Asked> {
  const { vector, operation, input, expected } = check
  const about = { vector, operation }
  const skipped: Asked = { result: { ...about, outcome: 'skipped' }, gone: false }
  const failed = (got: string, gone: boolean): Asked => ({
    result: { ...about, outcome: 'failed', expected: sameText(expected), got },
    gone,
  })
  const ask = implementation[operation] as ((input: unknown) => unknown) | undefined
  if (ask === undefined) return skipped
  try {
    const got = await ask.call(implementation, input)
    if (sameText(comparable(check, got)) !== sameText(comparable(check, expected))) return failed(sameText(got), false)
    return { result: { ...about, outcome: 'passed' }, gone: false }
  } catch (error) {
    return error instanceof UnsupportedOperation ? skipped : failed(String(error), error instanceof ImplementationGone)
  }
}

/** Answers with more than one correct encoding are compared by their content. */
function comparable(check: Check, answer: unknown): unknown {
  if (typeof answer !== 'string') return answer
  if (check.operation === 'encode' && check.input.encoding === 'json')
    return JSON.parse(Buffer.from(answer, 'hex').toString('utf8'))
  if (check.operation === 'writeFrames') return plainFrames(fromHex(answer))
  return check.operation === 'certify' ? certified(check.input, answer) : answer
}

/** A certificate whose signature is verified instead of compared, since it has a random salt. */
function certified({ staticKey, notBefore }: Operations['certify']['input'], certificate: string): unknown {
  const { readCertificate, checkCertificate, peerId } = ownImplementation
  const read = readCertificate({ certificate }) as PlainCertificate | null
  if (read === null) return null
  const id = String(peerId({ key: read.key }))
  const { signature: _, ...rest } = read
  return { ...rest, genuine: checkCertificate({ certificate, staticKey, id, unixMs: notBefore }) }
}

/** Equal values have equal texts: members are sorted. */
function sameText(value: unknown): string {
  return (
    JSON.stringify(value, (_name, part: unknown) =>
      typeof part === 'object' && part !== null && !Array.isArray(part)
        ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : part,
    ) ?? 'undefined'
  )
}
