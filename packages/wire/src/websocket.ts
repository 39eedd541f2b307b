/** Datagrams over WebSocket (docs/protocol.md): where a relay takes connections. */

/** Path of the request that becomes a connection. */
export const WEBSOCKET_PATH = '/showchain'
