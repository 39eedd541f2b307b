/** Times and limits of a punch attempt, each once; docs/protocol.md, Punch safety. */
import { type Duration, duration } from '../endpoint/machine.ts'

/** Probes to one ip:port that has not answered. */
export const MAX_PROBES = 8
/** To one that only the other end says is its own, while nothing came from there. */
export const MAX_UNSEEN_PROBES = 2
/**
 * When the probes of an attempt go, after its start. Both ends start within one trip of each other,
 * so the first few open the mappings; the later ones are for loss and for an end that consents
 * late.
 */
export const PROBE_TIMES: readonly Duration[] = [0, 50, 150, 350, 750, 1550, 3150, 5000].map(duration)

/** The earliest and the latest second probe, where it leaves after a round trip. */
const [EARLIEST, LATEST] = [10, 150]

/**
 * The same for a target that knows how long a round trip to its relay takes. So long after it agreed
 * the requester knows its address, and has just opened its own router: the second probe goes then. It
 * is no later than the third, and not lost together with the first.
 */
export const probeTimes = (roundTrip: Duration | undefined): readonly Duration[] =>
  PROBE_TIMES.map((time, index) =>
    index === 1 && roundTrip !== undefined ? duration(Math.max(EARLIEST, Math.min(roundTrip, LATEST))) : time,
  )
/** An attempt ends this long after its start: the last probe and a full path check fit. */
export const ATTEMPT_LIFETIME: Duration = duration(15_000)
/**
 * Candidates of one attempt: the announced one, host candidates and peer-reflexive ones (RFC 8445).
 */
export const MAX_CANDIDATES = 12
/**
 * An attempt with birthday probing ends this long after its start: the last probe and a path check
 * fit.
 */
export const BIRTHDAY_LIFETIME: Duration = duration(34_000)
