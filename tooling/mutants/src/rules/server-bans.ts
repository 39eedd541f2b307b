/** Rules of @showchain/server: bans, which are those of all nodes of a fleet. */
import { inPackage, type Mutant } from '../mutant.ts'

const BANS = 'src/core/bans.ts'
const ACCESS = 'src/core/access-control.ts'

export const SERVER_BANS: readonly Mutant[] = inPackage(
  'server',
  [
    {
      name: 'ban-forged',
      rule: "A ban without the secret of the fleet is nobody's.",
      file: 'src/core/fleet/fleet-mail.ts',
      text: "    if (!sameBytes(this.#tag(message), fleetTag(message))) return 'fleetRefused'\n",
      replacement: '',
    },
    {
      name: 'ban-enforced',
      rule: 'A ban ends registrations and what goes on in sessions, at whichever node it was given.',
      file: ACCESS,
      text: '    if (!isOver(record, this.#unixMs())) this.gate.change()\n',
      replacement: '',
    },
    {
      name: 'ban-told',
      rule: 'A ban is told to all nodes of the fleet.',
      file: ACCESS,
      text: '    this.#told(record)\n    return true\n',
      replacement: '    return true\n',
    },
    {
      name: 'ban-newest',
      rule: 'Of what is said of somebody the newest counts: who repeats or brings back an older message changes nothing.',
      file: BANS,
      text: 'known === undefined ? !this.#hasRoomFor(record, unixMs) : !isNewer(record, known)',
      replacement: 'known === undefined && !this.#hasRoomFor(record, unixMs)',
    },
    {
      name: 'ban-later',
      rule: 'What an operator says counts, whatever clock said what was said before.',
      file: BANS,
      text: 'Math.max(unixMs, (this.#of(who)?.at ?? 0) + 1)',
      replacement: 'unixMs',
    },
    {
      name: 'ban-room',
      rule: 'Other nodes make a node remember so many bans and no more.',
      file: BANS,
      text: 'return this.#held.size < MAX_HEARD',
      replacement: 'return true',
    },
    {
      name: 'ban-lifted-room',
      rule: 'Of bans that were taken back so many are remembered and no more.',
      file: BANS,
      text: '      if (this.#lifted.size > MAX_LIFTED) this.#lifted.delete(this.#lifted.keys().next().value as string)\n',
      replacement: '',
    },
    {
      name: 'ban-known-nodes',
      rule: 'Bans are told to nodes that are there.',
      file: 'src/core/fleet/fleet.ts',
      text: 'this.#nodes.has(header.from, now) ? header.from : undefined',
      replacement: 'header.from',
    },
  ].map((mutant) => ({ test: 'test/fleet-bans.test.ts', ...mutant })),
)
