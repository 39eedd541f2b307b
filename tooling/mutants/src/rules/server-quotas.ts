/** Rules of @showchain/server: quotas, and fairness at its rate. */
import { inPackage, type Mutant } from '../mutant.ts'

export const SERVER_QUOTAS: readonly Mutant[] = inPackage('server', [
  {
    name: 'quota-frames',
    rule: 'A frame beyond a quota is not passed on.',
    file: 'src/core/channel-forwarder.ts',
    text: 'if (this.#toll !== undefined && !this.#toll.pays(from, bytes.length, now)) return',
    replacement: '',
    test: 'test/quotas.test.ts',
  },
  {
    name: 'quota-data',
    rule: 'Signed data beyond a quota is not passed on.',
    file: 'src/core/data-forwarder.ts',
    text: 'bytes.length, now) === false) return false',
    replacement: 'bytes.length, now) === false && to === undefined) return false',
    test: 'test/quotas.test.ts',
  },
  {
    name: 'quota-source',
    rule: 'Ids of one source share its quota.',
    file: 'src/core/meter.ts',
    text: 'this.#left(source, quotas.source), ',
    replacement: '',
    test: 'test/quotas.test.ts',
  },
  {
    name: 'quota-total',
    rule: 'All together have a quota.',
    file: 'src/core/meter.ts',
    text: ', this.#left(this.#total, quotas.total))',
    replacement: ')',
    test: 'test/quotas.test.ts',
  },
  {
    name: 'quota-kept',
    rule: 'What was used before a restart counts.',
    file: 'src/core/meter.ts',
    text: 'kept.find((usage) => usage.key === key) ?? ',
    replacement: '',
    test: 'test/quotas.test.ts',
  },
  {
    name: 'quota-changed',
    rule: 'Amounts of quotas that have changed hold at once.',
    file: 'src/core/meter.ts',
    text: '    this.#quotas = quotas\n',
    replacement: '    if (this.size === 0) this.#quotas = quotas\n',
    test: 'test/quotas.test.ts',
  },
  {
    name: 'quota-refused',
    rule: 'Who has used up a quota is refused where the relay refuses.',
    file: 'src/core/access-gate.ts',
    text: "(verdict === 'allowed' && this.#meter?.refuses(id, at.ip, permit)) || verdict",
    replacement: 'verdict',
    test: 'test/quotas.test.ts',
  },
  {
    name: 'fair-level',
    rule: 'Beyond the rate a source gets its share and no more.',
    file: 'src/core/fair-share.ts',
    text: 'this.#level === Number.POSITIVE_INFINITY ? most : this.#filled(source, now)',
    replacement: 'this.#level > 0 ? most : this.#filled(source, now)',
    test: 'test/fair-share.test.ts',
  },
])
