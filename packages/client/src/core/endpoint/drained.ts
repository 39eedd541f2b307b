/**
 * Timers and results of work call into an inner machine directly. An owner gives its parts these
 * views of both, so that it drains their events after those calls as it does after its own.
 */
import type { Instant } from './machine.ts'
import type { Outbox } from './outbox.ts'
import type { Timers } from './timers.ts'

type Drain = (now: Instant) => void

/** Timers after which the owner drains. */
export function drainedTimers(timers: Pick<Timers, 'set'>, drain: Drain): Pick<Timers, 'set'> {
  return {
    set: (at, fire) =>
      timers.set(at, (now) => {
        fire(now)
        drain(now)
      }),
  }
}

/** What machines use of an outbox. */
export type Outlet<Event> = Pick<
  Outbox<Event>,
  'transmit' | 'socket' | 'pause' | 'event' | 'sign' | 'certify' | 'verify'
>

/** An outbox after whose results of work the owner drains. */
export function drainedOutbox<Event>(outbox: Outlet<Event>, drain: Drain): Outlet<Event> {
  const then =
    <Result>(resume: (result: Result, now: Instant) => void) =>
    (result: Result, now: Instant): void => {
      resume(result, now)
      drain(now)
    }
  return {
    transmit: (to, bytes) => outbox.transmit(to, bytes),
    socket: (change, socket) => outbox.socket(change, socket),
    pause: () => outbox.pause(),
    event: (event) => outbox.event(event),
    sign: (preimage, resume, last) => outbox.sign(preimage, then(resume), last),
    certify: (preimage, resume) => outbox.certify(preimage, then(resume)),
    verify: (key, preimage, signature, resume) => outbox.verify(key, preimage, signature, then(resume)),
  }
}
