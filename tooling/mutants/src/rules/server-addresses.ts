/** Rules about what a relay keeps of each address that asks. */
import { inPackage, type Mutant } from '../mutant.ts'

export const SERVER_ADDRESSES: readonly Mutant[] = inPackage('server', [
  {
    name: 'address-rate-full',
    rule: 'A full table of addresses refuses new ones and forgets no limit in force.',
    file: 'src/core/address-rate.ts',
    text: 'if (slot === NONE && !this.#forgets) return false',
    replacement: '',
    test: 'test/address-rate.test.ts',
  },
  {
    name: 'address-rate-forgets',
    rule: 'Forged addresses do not silence a relay towards everybody.',
    file: 'src/core/throttle.ts',
    text: ', forgets: true',
    replacement: '',
    test: 'test/keep-alive-responder.test.ts',
  },
  {
    name: 'address-rate-burst',
    rule: 'An address has its burst and no more.',
    file: 'src/core/address-rate.ts',
    text: 'if (full - now > this.#most + ROUNDING) return false',
    replacement: '',
    test: 'test/address-rate.test.ts',
  },
  {
    name: 'address-rate-grows',
    rule: 'No limit is forgotten because the table of addresses grows.',
    file: 'src/core/address-rate.ts',
    text: '      this.#put(to, full, first, second)\n',
    replacement: '',
    test: 'test/address-rate.test.ts',
  },
  {
    name: 'address-rate-capacity',
    rule: 'The table of addresses has a cap.',
    file: 'src/core/address-rate.ts',
    text: 'slot === NONE && this.#mask + 1 < this.#mostSets',
    replacement: 'slot === NONE',
    test: 'test/address-rate.test.ts',
  },
  {
    name: 'address-rate-small',
    rule: 'What a flood made grow is given back.',
    file: 'src/core/address-rate.ts',
    text: '    if (size === 0) this.#empty(Math.min(FIRST_SETS, this.#mostSets))\n',
    replacement: '',
    test: 'test/address-rate.test.ts',
  },
  {
    name: 'address-rate-key',
    rule: 'Nobody can choose addresses that share the room of somebody else.',
    file: 'src/core/address-rate.ts',
    text: 'return [view.getInt32(0), view.getInt32(4)]',
    replacement: 'return [1, 2]',
    test: 'test/address-rate.test.ts',
  },
  {
    name: 'address-rate-port',
    rule: 'Each port of an address has a rate of its own.',
    file: 'src/core/address-rate.ts',
    text: '(ip.length << 16) | port',
    replacement: 'ip.length << 16',
    test: 'test/address-rate.test.ts',
  },
])
