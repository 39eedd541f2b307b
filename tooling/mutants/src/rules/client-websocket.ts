/** Rules of @showchain/client: what a peer without UDP does, and how it comes back. */
import { inPackage, type Mutant } from '../mutant.ts'

const TEST = 'test/internet/without-udp.test.ts'

/** The tests play in the simulator, which is in another package. */
const RULES: readonly Omit<Mutant, 'folder' | 'testFolder'>[] = [
  {
    name: 'websocket-said',
    rule: 'A peer without UDP says so.',
    file: 'src/core/punch/candidates.ts',
    text: ' | (context.carriers.withoutUdp ? CAPS.withoutUdp : 0)',
    replacement: '',
    test: TEST,
  },
  {
    name: 'websocket-nobody-probes',
    rule: 'Nobody looks for a peer that has no UDP.',
    file: 'src/core/punch/candidates.ts',
    text: "return ((ext?.caps ?? 0) & CAPS.withoutUdp) === 0 ? undefined : 'the remote peer has no UDP'",
    replacement: 'return ext === null ? undefined : undefined',
    test: TEST,
  },
  {
    name: 'websocket-udp-back',
    rule: 'A peer by WebSocket comes back to UDP.',
    file: 'src/core/relays/relay-reach.ts',
    text: 'if (socket !== undefined && this.#context.carriers.udp) this.#udpReturn.start(now)',
    replacement: '',
    test: TEST,
  },
  {
    name: 'websocket-idle-questions',
    rule: 'UDP is asked for each minute while nobody needs it.',
    file: 'src/core/relays/udp-return.ts',
    text: 'if (due || this.#options.needed()) this.#ask(at)',
    replacement: 'if (due || at > 0) this.#ask(at)',
    test: TEST,
  },
]

const NO_UDP = 'test/internet/system-without-udp.test.ts'

const WITHOUT_UDP: readonly Omit<Mutant, 'folder' | 'testFolder'>[] = [
  {
    name: 'no-udp-policy',
    rule: 'Without UDP, too, the address policy judges the IP addresses of tickets.',
    file: 'src/reachability.ts',
    text: 'if (!this.hasUdp && isStandIn(endpoint.ip)) return true',
    replacement: 'if (!this.hasUdp) return true',
    test: NO_UDP,
  },
]

const PAGES: readonly Mutant[] = inPackage('client', [
  {
    name: 'carrier-waiting',
    rule: 'What is sent before a WebSocket is open waits, but not without a bound.',
    file: 'src/runtime/websocket/carrier.ts',
    text: 'this.#waiting.length < MAX_WAITING',
    replacement: 'MAX_WAITING > 0',
    test: 'test/browser/websocket.test.ts',
  },
  {
    name: 'carrier-unsent',
    rule: 'What waits for a slow network has a bound.',
    file: 'src/runtime/websocket/carrier.ts',
    text: 'socket.bufferedAmount + bytes.length <= MAX_UNSENT',
    replacement: 'MAX_UNSENT > 0',
    test: 'test/browser/websocket.test.ts',
  },
  {
    name: 'page-long-message',
    rule: 'In a page a message that is longer than a datagram is none.',
    file: 'src/browser/websocket.ts',
    text: ' && data.byteLength <= MAX_PROBED_DATAGRAM',
    replacement: ' && MAX_PROBED_DATAGRAM > 0',
    test: 'test/browser/websocket.test.ts',
  },
])

const PLAYED: readonly Mutant[] = inPackage(
  'client',
  [...RULES, ...WITHOUT_UDP].map((mutant) => ({ ...mutant, testFolder: 'packages/testkit' })),
)

export const CLIENT_WEBSOCKET: readonly Mutant[] = [...PLAYED, ...PAGES]
