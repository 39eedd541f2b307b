/** Rules of calls: host names, and the handles of one connection. */
import { inPackage, type Mutant } from '../mutant.ts'

/** The tests play in the simulator, which is in another package. */
const CALLS: readonly Omit<Mutant, 'folder' | 'testFolder'>[] = [
  {
    name: 'lookup-deadline',
    rule: 'A lookup has a deadline.',
    file: 'src/names.ts',
    text: 'LOOKUP_TIMEOUT, () =>',
    replacement: 'LOOKUP_TIMEOUT * 1000, () =>',
    test: 'test/face/names.test.ts',
  },
  {
    name: 'lookup-once',
    rule: 'A resolver that does not answer is asked once at a time.',
    file: 'src/names.ts',
    text: 'this.#asked.set(name, asked)',
    replacement: '',
    test: 'test/face/names.test.ts',
  },
  {
    name: 'relay-attempts',
    rule: "All addresses of a relay's name are tried.",
    file: 'src/relay-locator.ts',
    text: 'if (rest.length > 0) this.#timer',
    replacement: 'if (false) this.#timer',
    test: 'test/face/names.test.ts',
  },
  {
    name: 'relay-loser-left',
    rule: 'Where a relay did not answer first, it is left.',
    file: 'src/relay-locator.ts',
    text: 'if (tried !== registered) this.#leave(tried)',
    replacement: '{}',
    test: 'test/face/names.test.ts',
  },
  {
    name: 'relay-moved',
    rule: 'The name of a relay that is lost is looked up again.',
    file: 'src/relay-locator.ts',
    text: "if (state === 'failed') this.#tryNext()",
    replacement: "if (state === 'lost') return",
    test: 'test/face/names.test.ts',
  },
  {
    name: 'resolved-forbidden',
    rule: 'What a name of a ticket leads to is under the address policy.',
    file: 'src/call.ts',
    text: 'reached.filter((endpoint) => reachability.allows(endpoint))',
    replacement: 'reached',
    test: 'test/face/names.test.ts',
  },
  {
    name: 'resolved-too-late',
    rule: 'What is resolved after another way connected is not called.',
    file: 'src/call.ts',
    text: 'for (const giveUp of [...this.#later]) giveUp()',
    replacement: '',
    test: 'test/face/names.test.ts',
  },
  {
    name: 'last-handle-closes',
    rule: 'Closing a handle of a connection leaves the others.',
    file: 'src/shared-connection.ts',
    text: 'if (!others) return',
    replacement: 'return',
    test: 'test/face/handles.test.ts',
  },
  {
    name: 'handle-nobody-waits-for',
    rule: 'A connection whose connect() was given up does not stay open.',
    file: 'src/peer-events.ts',
    text: 'if (call?.opened(dial, handle) !== true) connection.discard(handle)',
    replacement: 'call?.opened(dial, handle)',
    test: 'test/face/handles.test.ts',
  },
  {
    name: 'another-dial-waits',
    rule: 'A dial that ends does not end the connection that another dial waits for.',
    file: 'src/core/peer/dials.ts',
    text: 'if (!this.has(target)) connections',
    replacement: 'connections',
    test: 'test/face/handles.test.ts',
  },
  {
    name: 'both-dialled',
    rule: 'When two peers dial each other at once, the connection comes out of incoming at both ends.',
    file: 'src/core/connections/connection-machine.ts',
    text: '!this.#dialled || this.#remoteDialled',
    replacement: '!this.#dialled',
    test: 'test/face/handles.test.ts',
  },
]

export const CLIENT_CALLS: readonly Mutant[] = inPackage(
  'client',
  CALLS.map((mutant) => ({ ...mutant, testFolder: 'packages/testkit' })),
)
