/** What a registration tells: its events to the peer's other parts, its state to the application. */

import type { Endpoint } from '@showchain/wire'
import type { Carrier } from '../context/carriers.ts'

export type RegistrationState = 'idle' | 'registering' | 'registered' | 'waiting' | 'closed'

export type RegistrationEvent =
  /** The relay does not answer any more, or has forgotten this peer. */
  | 'lost'
  /** It did not answer the first questions: it is time to look elsewhere, too. */
  | 'doubted'
  /** It answered: for the first time, after it was lost, or with another address. */
  | 'registered'
  /** This peer has another address than before. */
  | 'moved'
  /** It told another address of this peer, of the other IP family, which others may be told. */
  | 'found'
  /** It had lost the binding of a peer that believed to be registered, and has it again. */
  | 'renewed'
  /** It is about to end. */
  | 'draining'

/** What the application learns of it. */
export type Told =
  | { readonly state: 'registered'; readonly observed: Endpoint | undefined; readonly over: Carrier }
  | { readonly state: 'lost' | 'failed' | 'draining' | 'limited'; readonly reason: string }
