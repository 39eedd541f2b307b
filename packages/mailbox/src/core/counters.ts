/** What a mailbox counts. */
const COUNTERS = {
  slotsGiven: 'slots given to ends that wait',
  slotsTaken: 'slots that somebody came for: each is tried once',
  slotsExpired: 'slots that nobody came for in time',
  slotsLeft: 'slots whose end left before anybody came',
  runsDone: 'runs in which both ends had the same code',
  runsWrong: 'runs in which an end found the code wrong',
  runsBroken: 'runs that an end left, or that took too long',
  refusedUnknown: 'codes tried that no slot waits for',
  refusedFull: 'slots refused because there are too many, at all or of one source',
  refusedOften: 'requests refused because their source came too often',
  malformed: 'clients that sent what is no frame, or not one that may come then',
  silent: 'clients that sent nothing',
} as const

/** Names of the counters of a mailbox. */
export type MailboxCounter = keyof typeof COUNTERS
/** What a mailbox counts. */
export const MAILBOX_COUNTERS: Readonly<Record<MailboxCounter, string>> = COUNTERS
