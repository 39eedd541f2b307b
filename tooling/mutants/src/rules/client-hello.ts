/** Rules of the key exchange in signed messages (docs/protocol.md, Hello), and of addresses that are hidden. */
import { inPackage, type Mutant } from '../mutant.ts'

export const CLIENT_HELLO: readonly Mutant[] = inPackage('client', [
  {
    name: 'hidden-address',
    rule: "A record from an address of its own is not answered where the other end must not learn this one's.",
    file: 'src/core/connections/secure-data-plane.ts',
    text: 'from instanceof Uint8Array || !this.#paths.allowsDirect ? undefined : from',
    replacement: 'from instanceof Uint8Array ? undefined : from',
    test: 'test/connections/moving.test.ts',
  },
  {
    name: 'hello-newest',
    rule: 'Another hello counts only in a newer request: a recording does not undo a dial.',
    file: 'src/core/secure/hello-exchange.ts',
    text: 'if (known !== undefined && !isNewer(stamp, known.stamp)) return undefined',
    replacement: '',
    test: 'test/secure/hello-exchange.test.ts',
  },
  {
    name: 'hello-glare',
    rule: 'The smaller id leaves a hello unanswered while its own is out.',
    file: 'src/core/secure/hello-exchange.ts',
    text: 'if (this.#leads && this.#out !== undefined) return undefined',
    replacement: '',
    test: 'test/secure/hello-exchange.test.ts',
  },
  {
    name: 'hello-glare-pending',
    rule: "The larger id dials without a hello while the smaller's waits for its first record.",
    file: 'src/core/secure/hello-exchange.ts',
    text: 'if (!this.#leads && this.#pending !== undefined) return',
    replacement: '',
    test: 'test/secure/hello-exchange.test.ts',
  },
  {
    name: 'hello-glare-drop',
    rule: "The answer to the smaller's own hello ends what waits for a record of the larger.",
    file: 'src/core/secure/hello-exchange.ts',
    text: '    this.dropPending()\n    return { greeting, first: true }',
    replacement: '    return { greeting, first: true }',
    test: 'test/secure/hello-exchange.test.ts',
  },
  {
    name: 'hello-settled',
    rule: 'A hello that was given up takes no answer.',
    file: 'src/core/secure/hello-exchange.ts',
    text: '    this.#patience?.cancel()\n    this.#out = undefined\n',
    replacement: '    this.#patience?.cancel()\n',
    test: 'test/secure/hello-exchange.test.ts',
  },
  {
    name: 'hello-expires',
    rule: 'Keys that no record used are forgotten.',
    file: 'src/core/secure/hello-exchange.ts',
    text: "        this.#pending = undefined\n        this.#events.push('expired')",
    replacement: "        this.#events.push('expired')",
    test: 'test/secure/hello-exchange.test.ts',
  },
])
