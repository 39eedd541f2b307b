/** Rules of named streams: what a name may be, what is not taken, and what that costs. */
import { inPackage, type Mutant } from '../mutant.ts'

const TEST = 'test/transport/streams/named.test.ts'

export const CLIENT_NAMED_STREAMS: readonly Mutant[] = inPackage('client', [
  {
    name: 'named-limit',
    rule: 'Streams with and without a name count for one limit.',
    file: 'src/core/transport/streams/stream-table.ts',
    text: 'return index + this.#remoteOpened[kind === NAMED ? UNNAMED : NAMED] < this.#remoteLimit',
    replacement: 'return index < this.#remoteLimit',
    test: TEST,
  },
  {
    name: 'named-unknown',
    rule: 'A receiver that says what it takes turns everything else away.',
    file: 'src/core/transport/streams/streams.ts',
    text: 'protocols?.has(name.protocol) === false',
    replacement: 'protocols === undefined && name.protocol === undefined',
    test: TEST,
  },
  {
    name: 'named-none',
    rule: 'What does not begin with a name closes the connection.',
    file: 'src/core/transport/streams/streams.ts',
    text: "if (name === 'none') return {",
    replacement: "if (name === 'none') return undefined\n    if (receive === undefined) return {",
    test: TEST,
  },
  {
    name: 'named-fin',
    rule: 'A stream that ends within its name closes the connection.',
    file: 'src/core/transport/streams/stream-name.ts',
    text: "return receive.complete ? 'none' : undefined",
    replacement: 'return undefined',
    test: TEST,
  },
  {
    name: 'named-forgotten',
    rule: 'A stream that is turned away is forgotten, and gives back what it took of the limit.',
    file: 'src/core/transport/streams/streams.ts',
    text: '    stream.name = undefined\n    this.reset(stream.id, code)',
    replacement: '    stream.name = undefined',
    test: TEST,
  },
  {
    name: 'named-stopped',
    rule: 'A STOP_SENDING that comes before the name is not lost.',
    file: 'src/core/transport/streams/streams.ts',
    text: "if (stoppedBy !== undefined) events.push({ type: 'streamStopped', stream: id, code: stoppedBy })",
    replacement: '',
    test: TEST,
  },
  {
    name: 'named-agreed',
    rule: 'No name is sent to an end that does not say that it knows them.',
    file: 'src/core/transport/streams/streams.ts',
    text: "if (protocol !== undefined && !this.#options.namedStreams) return 'no names'",
    replacement: '',
    test: TEST,
  },
  {
    name: 'named-characters',
    rule: 'A name has no characters that a terminal would act on.',
    file: 'src/core/transport/streams/stream-name.ts',
    text: "return protocol === undefined ? 'none' : { protocol }",
    replacement: "return { protocol: protocol ?? '' }",
    test: TEST,
  },
  {
    name: 'named-claimed',
    rule: 'A stream of a protocol that another part of the program takes comes out nowhere else.',
    file: 'src/stream-readers.ts',
    text: 'this.#reader(({ protocol }) => !shared.isClaimed(protocol))',
    replacement: 'this.#reader(() => true)',
    test: 'test/face/protocols.test.ts',
    testFolder: 'packages/testkit',
  },
])
