/**
 * Byte layouts of the end-to-end layer: handshake, certificates, records, and the frames in a
 * record. Exported as a sub-path: code that only reads messages does not load it.
 */
export * from './certificate.ts'
export * from './direct-session.ts'
export type { FrameSink } from './frame-sink.ts'
export * from './frames.ts'
export * from './handshake-parts.ts'
export * from './handshake-payload.ts'
export * from './hello.ts'
export * from './named-streams.ts'
export * from './records.ts'
export * from './varint.ts'
