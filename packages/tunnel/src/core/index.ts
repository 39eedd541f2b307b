/** Tunnels without sockets, clock and Node.js: the bytes, the flows, the reasons. */

export { CODES, type Reason, reasonOf } from './codes.ts'
export { ForwardedFlows, ServedFlows } from './flows.ts'
export * from './limits.ts'
export { ANSWER, behindAnswer, datagram, type FlowDatagram, type Kind, PROTOCOLS, readDatagram } from './protocols.ts'
export { redialDelay } from './redial.ts'
