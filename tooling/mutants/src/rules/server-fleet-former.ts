/** Rules of @showchain/server: frames of peers that have registered at another node of the fleet. */
import { inPackage, type Mutant } from '../mutant.ts'

export const SERVER_FLEET_FORMER: readonly Mutant[] = inPackage(
  'server',
  [
    {
      name: 'fleet-former-lifetime',
      rule: 'Where a peer was bound that went to another node counts for 10 s.',
      text: 'duration(10_000)',
      replacement: 'duration(60_000)',
    },
    {
      name: 'fleet-former-taken',
      rule: 'Where a peer was bound that went to another node is somebody else’s who registers there.',
      text: 'for (const each of [id, this.#peers.get(key)]) this.#forget(each, now)',
      replacement: 'if (this.#former.get(this.#peers.get(key) ?? id, now) !== undefined) return',
    },
    {
      name: 'fleet-former-proven',
      rule: 'Only an address that proved itself counts after a peer has gone to another node.',
      text: '    if (!isProven(source)) return\n',
      replacement: '',
    },
    {
      name: 'fleet-former-rate',
      rule: 'A frame from where a peer was bound costs its rate.',
      text: "    if (!rate.take(bytes, now)) this.#context.count('rateLimited')\n    else if",
      replacement: '    if',
    },
    {
      name: 'fleet-former-quota',
      rule: 'A frame from where a peer was bound counts for its quota.',
      text: ' || this.#parts.toll?.paysFrom(purse, bytes, now) === true',
      replacement: ' || purse !== undefined',
    },
    {
      name: 'fleet-former-silent',
      rule: 'A node answers for a peer that has left it as long as that speaks from there.',
      text: 'former?.speaks === true ? former.binding : undefined',
      replacement: 'former?.binding',
    },
  ].map((mutant) => ({ file: 'src/core/fleet/peers-at.ts', test: 'test/fleet-former.test.ts', ...mutant })),
)
