/** Short codes: `offerCode` and `takeCode` exchange the tickets of two peers through a relay's mailbox. */
export { type CodeOffer, mailboxOf, offerCode, takeCode } from './client/codes.ts'
export type { MailboxOptions } from './client/line.ts'
export { type Code, completeCode, parseCode } from './core/index.ts'
