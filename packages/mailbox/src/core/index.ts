/** A mailbox, and both ends of a run through it, as state machines: no clock, no streams, no Node.js. */
export { type Code, completeCode, formatCode, newWords, parseCode } from './code.ts'
export { MAILBOX_COUNTERS, type MailboxCounter } from './counters.ts'
export { encode, FIRST_BYTE, FRAME, type Frame, FrameReader, OVER, type OverReason } from './frames.ts'
export * from './limits.ts'
export { type MailboxEvent, MailboxMachine, type MailboxStats } from './mailbox-machine.ts'
export { OfferRun, type RunEvent, type RunFailure, type RunOptions, TakeRun } from './run.ts'
