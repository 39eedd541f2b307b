/**
 * Byte layouts of what two peers protect end to end: records and handshake messages, and the
 * frames in a record. Apart from the root export, so that a relay's or a browser's bundle of
 * messages holds none of it.
 */
export * from './frames.ts'
export * from './records.ts'
export * from './varint.ts'
