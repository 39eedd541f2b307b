/** Rules of @showchain/tunnel: what is reached, what arrives as a reset, and what is bounded. */
import { inPackage, type Mutant } from '../mutant.ts'

const [SERVER, DATAGRAMS, FLOWS, FORWARDER] = [
  'src/tunnel/server.ts',
  'src/tunnel/served-datagrams.ts',
  'src/core/flows.ts',
  'src/tunnel/forwarder.ts',
]
const [STREAMS_TEST, DATAGRAMS_TEST, FLOWS_TEST, NODE_TEST] = [
  'test/tunnel/streams.test.ts',
  'test/tunnel/datagrams.test.ts',
  'test/flows.test.ts',
  'test/node.test.ts',
]

/** Tunnels on the simulated internet are of its suite. */
const TESTKIT = 'packages/testkit'

/** Of the program: who may connect. */
const ALLOW: Mutant = {
  name: 'peer-cli/allow',
  rule: 'Only peers that --allow names may connect.',
  folder: 'apps/peer-cli',
  file: 'src/contacts.ts',
  text: "idsOf(flags) ?? 'everyone'",
  replacement: "idsOf(flags) === undefined ? 'everyone' : 'everyone'",
  test: 'test/accept.test.ts',
}

const TUNNELS = inPackage('tunnel', [
  {
    name: 'kinds',
    rule: 'A target of one kind is not reached by streams of the other kind.',
    file: SERVER,
    text: "      if (kind !== this.#target.kind) throw new TunnelError('kind')\n",
    replacement: '',
    test: DATAGRAMS_TEST,
    testFolder: TESTKIT,
  },
  {
    name: 'datagrams-unasked',
    rule: 'Datagrams reach the target only while a stream asks for them.',
    file: DATAGRAMS,
    text: 'found === undefined || this.#flows === undefined',
    replacement: 'found === undefined || (this.#flows ??= new ServedFlows()) === undefined',
    test: DATAGRAMS_TEST,
    testFolder: TESTKIT,
  },
  {
    name: 'datagrams-once',
    rule: 'One stream of a connection at a time has its datagrams.',
    file: DATAGRAMS,
    text: "    if (this.#flows !== undefined) throw new TunnelError('busy')\n",
    replacement: '',
    test: DATAGRAMS_TEST,
    testFolder: TESTKIT,
  },
  {
    name: 'flows',
    rule: 'A connection has so many flows of UDP.',
    file: FLOWS,
    text: 'capacity: MAX_FLOWS',
    replacement: 'capacity: MAX_FLOW',
    test: FLOWS_TEST,
  },
  {
    name: 'flows-idle',
    rule: 'A flow of UDP that is idle is closed.',
    file: FLOWS,
    text: 'lifetime: FLOW_IDLE',
    replacement: 'lifetime: MAX_FLOW as typeof FLOW_IDLE',
    test: FLOWS_TEST,
  },
  {
    name: 'served',
    rule: 'An end serves so many streams at a time.',
    file: SERVER,
    text: "      if (this.#carried.size >= MAX_SERVED) throw new TunnelError('busy')\n",
    replacement: '',
    test: STREAMS_TEST,
    testFolder: TESTKIT,
  },
  {
    name: 'target-time',
    rule: 'A target has so much time to accept a connection.',
    file: SERVER,
    text: 'within(this.#runtime, TARGET_TIME,',
    replacement: 'within(this.#runtime, (TARGET_TIME * 1e6) as typeof TARGET_TIME,',
    test: STREAMS_TEST,
    testFolder: TESTKIT,
  },
  {
    name: 'local-connections',
    rule: 'An end that forwards has so many local connections at a time.',
    file: FORWARDER,
    text: 'this.#carried.size >= MAX_LOCAL',
    replacement: 'this.#carried.size >= Infinity',
    test: STREAMS_TEST,
    testFolder: TESTKIT,
  },
  {
    name: 'waiting-time',
    rule: 'A local connection waits so long for the remote peer.',
    file: FORWARDER,
    text: 'within(this.#runtime, WAITING_TIME,',
    replacement: 'within(this.#runtime, (WAITING_TIME * 1e6) as typeof WAITING_TIME,',
    test: STREAMS_TEST,
    testFolder: TESTKIT,
  },
  {
    name: 'held',
    rule: 'So many datagrams wait for the remote peer.',
    file: 'src/tunnel/forwarded-datagrams.ts',
    text: 'if (this.#held.length <= MAX_HELD) return',
    replacement: 'if (this.#held.length > 0) return',
    test: DATAGRAMS_TEST,
    testFolder: TESTKIT,
  },
  {
    name: 'resets',
    rule: 'What breaks arrives as a reset: no program takes a part for the whole.',
    file: 'src/tunnel/splice.ts',
    text: "    reset('reset')\n",
    replacement: '',
    test: STREAMS_TEST,
    testFolder: TESTKIT,
  },
  {
    name: 'back-pressure',
    rule: 'No more is read of a stream than the local program takes.',
    file: 'src/tunnel/splice.ts',
    text: 'await socket.write(bytes)',
    replacement: 'void socket.write(bytes).catch(() => {})',
    test: STREAMS_TEST,
    testFolder: TESTKIT,
  },
  {
    name: 'loopback',
    rule: 'A port alone is one of 127.0.0.1.',
    file: 'src/node/addresses.ts',
    text: "const LOOPBACK = '127.0.0.1'",
    replacement: "const LOOPBACK = '0.0.0.0'",
    test: NODE_TEST,
  },
  {
    name: 'files-stay',
    rule: 'A file that is no socket is not replaced by one.',
    file: 'src/node/sources.ts',
    text: '!(await lstat(path)).isSocket() || ',
    replacement: '',
    test: NODE_TEST,
  },
])

export const TUNNEL: readonly Mutant[] = [...TUNNELS, ALLOW]
