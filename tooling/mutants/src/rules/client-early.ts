/** Rules of what is said before an answer (docs/protocol.md, Early frames), and of what is kept of others. */
import { inPackage, type Mutant } from '../mutant.ts'

const TEST = 'test/secure/hello-exchange.test.ts'

export const CLIENT_EARLY: readonly Mutant[] = inPackage('client', [
  {
    name: 'early-judged-once',
    rule: 'What is said early is judged once for each ephemeral key.',
    file: 'src/core/secure/hello.ts',
    text: 'if (warm !== undefined && target.judged(ephemeral)) return undefined',
    replacement: '',
    test: TEST,
  },
  {
    name: 'early-stamp',
    rule: 'What is said early is delivered only in a newer request than the one judged last.',
    file: 'src/core/secure/early-once.ts',
    text: 'if (last !== undefined && !isNewer(stamp, last.stamp)) return false',
    replacement: '',
    test: TEST,
  },
  {
    name: 'early-minute',
    rule: 'What is said early is delivered only in a request of this minute.',
    file: 'src/core/secure/early-once.ts',
    text: 'return wanted && Math.abs(stamp.ts - this.#latest) <= FIRST_CONTACT_TOLERANCE',
    replacement: 'return wanted',
    test: TEST,
  },
  {
    name: 'early-clock',
    rule: 'A clock that is set back makes no old request new.',
    file: 'src/core/secure/early-once.ts',
    text: 'this.#latest = Math.max(this.#latest, this.#unixMs())',
    replacement: 'this.#latest = this.#unixMs()',
    test: TEST,
  },
  {
    name: 'early-requesters',
    rule: 'What was judged takes a bounded amount of memory.',
    file: 'src/core/secure/early-once.ts',
    text: 'if (last === undefined && this.#byRequester.size >= MAX_EARLY_REQUESTERS) return false',
    replacement: '',
    test: TEST,
  },
  {
    name: 'early-connected',
    rule: 'What is said early replaces no connection that is there.',
    file: 'src/core/secure/hello-exchange.ts',
    text: 'const wanted = !connected() && this.#early === undefined',
    replacement: 'const wanted = this.#early === undefined',
    test: TEST,
  },
  {
    name: 'warm-key-lifetime',
    rule: 'A static key for warm hellos is gone after seven days.',
    file: 'src/core/secure/warm-keys.ts',
    text: 'this.#keys = this.#keys.filter(({ made }) => later(made, WARM_KEY_LIFETIME) > now)',
    replacement: '',
    test: TEST,
  },
  {
    name: 'acquaintances',
    rule: 'What is kept of others takes a bounded amount of memory.',
    file: 'src/core/secure/acquaintances.ts',
    text: 'if (this.#byId.size >= MAX_ACQUAINTANCES && first !== undefined) this.#byId.delete(first)',
    replacement: '',
    test: TEST,
  },
  {
    name: 'early-unanswered',
    rule: 'What may have been delivered early is not sent again.',
    file: 'src/shared-connection.ts',
    text: "state === 'unsent' ? this.tryOpen(handle, 0) : undefined",
    replacement: 'this.tryOpen(handle, 0)',
    test: 'test/face/early-data.test.ts',
    testFolder: 'packages/testkit',
  },
  {
    name: 'early-opt-in',
    rule: 'What is said early is taken only where the application has opted in.',
    file: 'src/core/peer/peer-parts.ts',
    text: 'const early = acceptEarly ? new EarlyOnce(unixMs) : undefined',
    replacement: 'const early = acceptEarly || true ? new EarlyOnce(unixMs) : undefined',
    test: 'test/face/early-data.test.ts',
    testFolder: 'packages/testkit',
  },
])
