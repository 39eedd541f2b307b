/** Why a registration failed, in words. */
import { WIRE_ERROR } from '@showchain/wire'
import { NO_ANSWER } from '../requests/transaction.ts'

/** Why a registration failed, for people. */
export const explained = (why: string): string =>
  why === NO_ANSWER ? `${why}: it is absent, unreachable, or has another id than its ticket says` : why

const REFUSALS: Readonly<Record<number, string>> = {
  [WIRE_ERROR.refused]: 'this relay does not know you: ask whoever runs it to let your id in, or use another relay',
  [WIRE_ERROR.undecided]: 'this relay cannot tell at the moment whether it knows you: it is asked again',
  [WIRE_ERROR.overQuota]:
    'what this relay forwards for you, your network or everyone is used up for today or this month: use another relay',
  [WIRE_ERROR.permitNeeded]:
    'this relay serves who has a permit: ask whoever runs it for a ticket with one, or use another relay',
  [WIRE_ERROR.permitUnknown]:
    'the permit in the ticket of this relay is none that it knows: copy that ticket again, or ask whoever runs it for a new one',
  [WIRE_ERROR.permitForAnother]:
    'the permit in the ticket of this relay is for another id: use the identity that it was made for, or ask whoever runs it for one of your own',
  [WIRE_ERROR.permitExpired]:
    'the permit in the ticket of this relay has run out: ask whoever runs it for a new ticket, or use another relay',
  [WIRE_ERROR.permitUsedUp]:
    'the bytes of the permit in the ticket of this relay are used up: ask whoever runs it for a new ticket, or use another relay',
}

/** Why a relay does not grant a registration, for people. @param code of its error */
export const refusalOf = (code: number): string => REFUSALS[code] ?? `the relay refuses, with code ${code}`

/** Whether the relay forwards no more data of this peer. @param code of its error */
export const saysUsedUp = (code: number): boolean => code === WIRE_ERROR.overQuota || code === WIRE_ERROR.permitUsedUp
