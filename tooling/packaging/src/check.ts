/** What a check of a public package is. */
import type { PackedRelease } from './packed.ts'
import type { PublicPackage } from './workspace.ts'

export interface Subject {
  readonly entry: PublicPackage
  readonly release: PackedRelease
}

export interface Verdict {
  /** What is wrong, a sentence each. */
  readonly problems: readonly string[]
  /** What was measured, for the table. */
  readonly figure?: string
}

export interface Check {
  /** Its column in the table. */
  readonly column: string
  /** The demand, as a sentence whose subject is the package. */
  readonly demand: string
  readonly appliesTo: (entry: PublicPackage) => boolean
  readonly run: (subject: Subject) => Promise<Verdict>
}
