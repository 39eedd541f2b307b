/** What the ways of a dial say when they fail. */

export const ABSENT = 'the remote peer is absent, unreachable, or refuses'

/** Another way was faster than the address where the remote peer was before. */
export const ELSEWHERE = 'the remote peer was found elsewhere'

/** Its path is one that another dial's policy excludes. */
export const EXCLUDED = 'another connect to this peer allows no such path'

/** Only a relay has the capability that the answer shows. */
export const IS_RELAY = 'a relay answers there, not a peer: register with it, and connect by the ticket of a peer'

export const NO_RELAY = 'the remote peer lets no relay carry its data'

/** Data flows on a path within the time of a handshake, or it is no good. */
export const SILENT = 'a path was found, but nothing arrived by it'
