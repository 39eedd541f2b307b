/** Rules of the programs: what strangers and other users of the host get. */
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
  ...[
    {
      rule: 'A stranger comes in only by an answer that says so.',
      name: 'no-is-the-default',
      text: '      if (!/^\\s*(o(nce)?|a(lways)?)\\s*$/i.test(answer)) {',
      replacement: '      if (/^\\s*no?\\s*$/i.test(answer)) {',
    },
    {
      rule: 'Who was told no is not asked about again, and after so many nobody is.',
      name: 'refusals',
      text: '    if (this.#refused.has(remoteId) || this.#refused.size >= MAX_REFUSED) return false\n',
      replacement: '',
    },
    {
      rule: 'Few strangers wait for the answer about another one.',
      name: 'strangers-waiting',
      text: '    if (this.#waiting >= MAX_WAITING) return false\n',
      replacement: '',
    },
  ].map(
    (mutant): Mutant => ({
      ...mutant,
      name: `peer-cli/${mutant.name}`,
      folder: 'apps/peer-cli',
      file: 'src/strangers.ts',
      test: 'test/strangers.test.ts',
    }),
  ),
]
