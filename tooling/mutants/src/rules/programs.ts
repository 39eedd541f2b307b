/** Rules of the programs: what other users of the host get. */
import type { Mutant } from '../mutant.ts'

export const PROGRAMS: readonly Mutant[] = [
  {
    name: 'peer-cli/runtime-folder',
    rule: 'The sockets of running programs are in a folder that other users cannot enter.',
    folder: 'apps/peer-cli',
    file: 'src/runtime-folder.ts',
    text: ' && (found.mode & OTHERS) === 0',
    replacement: '',
    test: 'test/runtime-folder.test.ts',
  },
]
