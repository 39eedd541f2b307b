/** `showchain completion` and `showchain man`: both print what is made of the table of commands. */
import { quote } from '@showchain/wire'
import type { Command } from 'commander'
import { UsageError } from '../failures.ts'
import { print } from '../stdio.ts'
import { bashScript } from './bash.ts'
import { fishScript } from './fish.ts'
import { manPage } from './man.ts'
import { SHELLS, type Table, tableOf } from './table.ts'
import { zshScript } from './zsh.ts'

const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], (table: Table) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

/** @throws UsageError */
export async function completion(shell: string, root: Command): Promise<void> {
  const known = SHELLS.find((each) => each === shell)
  if (known === undefined) throw new UsageError(`the shell is one of ${SHELLS.join(', ')}, not ${quote(shell)}`)
  await print(SCRIPTS[known](tableOf(root)))
}

/** @param epilogue what stands below the help */
export const man = (root: Command, epilogue: string): Promise<void> =>
  print(manPage(tableOf(root), root.version() ?? '', epilogue))
