/** Rules of @showchain/server: WebSocket connections, their bounds, and where they come from. */
import { inPackage, type Mutant } from '../mutant.ts'

const CONNECTIONS = 'src/runtime/websocket/connections.ts'
const LISTENER = 'src/runtime/websocket/listener.ts'
const ENDS = { test: 'test/websocket-connections.test.ts' }

export const SERVER_WEBSOCKET: readonly Mutant[] = inPackage('server', [
  {
    name: 'websocket-unsent',
    rule: 'What waits for a reader is bounded.',
    file: CONNECTIONS,
    text: 'waiting > MAX_UNSENT || ',
    replacement: '',
    ...ENDS,
  },
  {
    name: 'websocket-unsent-total',
    rule: 'What waits for all readers is bounded.',
    file: CONNECTIONS,
    text: ' || (waiting > bytes.length && this.#waiting() + bytes.length > MAX_UNSENT_TOTAL)',
    replacement: '',
    ...ENDS,
  },
  {
    name: 'websocket-stalled',
    rule: 'A connection whose reader takes nothing ends.',
    file: CONNECTIONS,
    text: "if (later(connection.movedAt, STALL_TIME) <= now) this.#end(connection, 'websocketStalled')\n      else ",
    replacement: '',
    ...ENDS,
  },
  {
    name: 'websocket-idle',
    rule: 'A connection on which nothing comes ends.',
    file: CONNECTIONS,
    text: "if (later(connection.heard, IDLE_TIME) <= now) this.#end(connection, 'websocketIdle')",
    replacement: '{}',
    ...ENDS,
  },
  {
    name: 'websocket-pings',
    rule: 'Pings fill no memory.',
    file: CONNECTIONS,
    text: 'socket.bufferedAmount === 0 && socket.pong(data)',
    replacement: 'socket.pong(data)',
    ...ENDS,
  },
  {
    name: 'websocket-text',
    rule: 'A text frame ends its connection.',
    file: CONNECTIONS,
    text: 'if (!isBinary || ',
    replacement: 'if (',
    test: 'test/websocket.test.ts',
  },
  {
    name: 'websocket-per-source',
    rule: 'A source has so many connections at most.',
    file: LISTENER,
    text: 'if (count >= MAX_CONNECTIONS_PER_SOURCE) {',
    replacement: 'if (count < 0) {',
    test: 'test/websocket.test.ts',
  },
  {
    name: 'websocket-origin',
    rule: 'Pages connect only from sites that are allowed.',
    file: LISTENER,
    text: "return refuse(403, 'websocketOrigin')",
    replacement: '{}',
    test: 'test/websocket.test.ts',
  },
  {
    name: 'websocket-forwarded',
    rule: 'X-Forwarded-For counts only from a trusted proxy.',
    file: 'src/runtime/websocket/forwarded-for.ts',
    text: 'if (!this.trusts(from)) return from\n',
    replacement: '',
    test: 'test/websocket.test.ts',
  },
  {
    name: 'websocket-forwarded-last',
    rule: 'Of X-Forwarded-For the last address counts that is no proxy.',
    file: 'src/runtime/websocket/forwarded-for.ts',
    text: 'of hops.reverse()',
    replacement: 'of hops',
    test: 'test/websocket.test.ts',
  },
  {
    name: 'websocket-binding',
    rule: 'A binding is at one connection.',
    file: 'src/core/bindings.ts',
    text: 'return bound !== undefined && (bound === source || sameRoute(bound, source))',
    replacement:
      'return bound !== undefined && (bound === source || (bound.ip === source.ip && bound.port === source.port) || sameRoute(bound, source))',
    test: 'test/registrar.test.ts',
  },
  {
    name: 'binding-expired-once',
    rule: 'A binding that has run out takes nothing from the next one of the same peer.',
    file: 'src/core/bindings.ts',
    text: "if (expired !== NONE && !this.#rows.isLive(expired, now)) this.#end(expired, 'expired')",
    replacement: '',
    test: 'test/registrar.test.ts',
  },
])
