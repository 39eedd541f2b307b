/** What the WebSocket connections of a relay count. */

/** What a relay counts of its WebSocket connections. */
export const WEBSOCKET_COUNTERS = {
  websocketOpened: 'WebSocket connections that were opened',
  websocketFull: 'WebSocket connections refused: over the cap of all, or of their source',
  websocketRefused: 'requests that are no WebSocket of a peer: another path, or headers that make no sense',
  websocketOrigin: 'WebSocket connections refused: from a page of a site that is not allowed',
  websocketNotBinary: 'WebSocket connections ended: a text frame, or a message longer than a datagram',
  websocketIdle: 'WebSocket connections ended: nothing came on them',
  websocketStalled: 'WebSocket connections ended: nobody read what was sent',
  websocketDropped: 'datagrams that were lost, since the reader of a WebSocket connection was behind',
} as const

/** Names of the counters of WebSocket connections. */
export type WebSocketCounter = keyof typeof WEBSOCKET_COUNTERS
/** What was counted so far. */
export type WebSocketCounters = Record<WebSocketCounter, number>

/** None so far. */
export const noWebSocketCounters = (): WebSocketCounters =>
  Object.fromEntries(Object.keys(WEBSOCKET_COUNTERS).map((name) => [name, 0])) as WebSocketCounters
