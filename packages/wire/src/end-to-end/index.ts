/**
 * Byte layouts of what two peers protect end to end: the handshake, certificates, records and the
 * frames in a record. A sub-path of its own, so that a bundle that only reads messages has none of it.
 */
export * from './certificate.ts'
export * from './direct-session.ts'
export * from './frames.ts'
export * from './handshake-parts.ts'
export * from './handshake-payload.ts'
export * from './records.ts'
export * from './varint.ts'
