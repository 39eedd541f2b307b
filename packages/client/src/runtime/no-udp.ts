/** The socket of a system that has no UDP. */
import type { CountedSocket } from './socket.ts'

/** It is bound nowhere, sends nothing and receives nothing. @param reason half a sentence for people */
export const noUdp = (reason: string): CountedSocket => ({
  localEndpoints: [],
  counters: { sendFailed: 0, sendTooLarge: 0, sendBufferFull: 0, noSocket: 0, linkLocalSource: 0, socketErrors: 0 },
  implementation: { kind: 'none', reason },
  send: () => {},
  onDatagrams: () => {},
  close: async () => {},
})
