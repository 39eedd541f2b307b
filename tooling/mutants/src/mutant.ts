/** A mutant: one rule taken out of the code, and the test that must notice. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Mutant {
  /** Unique: package and rule, as in `wire/datagram-size`. */
  readonly name: string
  /** The rule that it takes out, in one sentence. */
  readonly rule: string
  /** Folder of the package, from the root of the repository. */
  readonly folder: string
  /** The source file, from that folder. */
  readonly file: string
  /** Occurs in the file exactly once. */
  readonly text: string
  readonly replacement: string
  /** The test file that must fail, from that folder or from `testFolder`. */
  readonly test: string
  /** Folder of the package that has the test, from the root of the repository. @default folder */
  readonly testFolder?: string
  /** The test must never end. @default it must fail */
  readonly hangs?: true
}

/** Folder of the package that has the mutant's test. */
export const testFolderOf = ({ folder, testFolder = folder }: Mutant): string => testFolder

/** Gives the mutants of one package their folder, and its name in front of theirs. */
export const inPackage = (name: string, mutants: readonly Omit<Mutant, 'folder'>[]): readonly Mutant[] =>
  mutants.map((mutant) => ({ ...mutant, name: `${name}/${mutant.name}`, folder: `packages/${name}` }))

const PRIVATE_NAME = /#\w+/g

/** Why a mutant fits its tree no more; undefined when it does. @param root of the tree */
export function staleness(root: string, mutant: Mutant): string | undefined {
  const { folder, file, text, replacement } = mutant
  const test = join(testFolderOf(mutant), mutant.test)
  const source = contentOf(join(root, folder, file))
  if (source === undefined) return `${folder}/${file} is not there`
  const occurrences = source.split(text).length - 1
  if (occurrences !== 1) return `its text occurs ${occurrences} times in ${folder}/${file}`
  if (text === replacement) return 'it changes nothing'
  // An undeclared private name is a syntax error, which would tell of no rule.
  const declared = new Set(source.match(PRIVATE_NAME))
  const unknown = replacement.match(PRIVATE_NAME)?.find((name) => !declared.has(name))
  if (unknown !== undefined) return `its replacement names ${unknown}, which ${folder}/${file} does not have`
  if (contentOf(join(root, test)) === undefined) return `${test} is not there`
  return undefined
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
