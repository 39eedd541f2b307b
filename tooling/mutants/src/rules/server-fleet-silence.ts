/** Rules of @showchain/server: what a relay believes when it heard no other of its fleet for a while. */
import { inPackage, type Mutant } from '../mutant.ts'

export const SERVER_FLEET_SILENCE: readonly Mutant[] = inPackage('server', [
  {
    name: 'fleet-silence-budget',
    rule: 'What a silent bus gives back of a budget is what went to other nodes.',
    file: 'src/core/consent-budget.ts',
    text: '!elsewhere || ',
    replacement: '',
    test: 'test/fleet.test.ts',
  },
  {
    name: 'fleet-silence-length',
    rule: 'One lost status gives nothing back of a budget.',
    file: 'src/core/fleet/fleet-nodes.ts',
    text: 'const SILENCE: Duration = duration(11_000)',
    replacement: 'const SILENCE: Duration = duration(6_000)',
    test: 'test/fleet.test.ts',
  },
])
