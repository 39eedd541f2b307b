/** `showchain forward`: a local socket that leads to what the remote peer serves. */
import type { Connection } from '@showchain/client'
import { Forwarder, type ForwarderEvent, listenAt, TunnelError } from '@showchain/tunnel'
import { ShowchainError } from '@showchain/wire'
import { argument } from './argument.ts'
import { type ConnectFlags, ephemeralUnlessTold, viaOf } from './connect.ts'
import { ticketOf } from './contacts.ts'
import { RefusedError } from './failures.ts'
import { failureOf } from './goodbye.ts'
import { type PeerFlags, timeoutOf } from './open-peer.ts'
import { outputFor } from './output.ts'
import { reached } from './reaching.ts'
import { type Session, withPeer } from './session.ts'
import { stdoutFailed } from './stdio.ts'
import { Failures, tooLarge } from './tunnels.ts'

export type TunnelFlags = PeerFlags & Pick<ConnectFlags, 'via' | 'asMe'>

/** Forwards until a signal; a connection that is lost is made again. */
export async function forward(local: string, text: string, flags: TunnelFlags): Promise<void> {
  const output = outputFor(flags)
  try {
    const via = viaOf(flags)
    const timeout = timeoutOf(flags)
    const ticket = ticketOf(text, flags)
    await withPeer(ephemeralUnlessTold(flags), output, 'nobody', async (session) => {
      const source = await argument(() => listenAt(local))
      const dial = (signal: AbortSignal): Promise<Connection> => session.peer.connect(ticket, { via, timeout, signal })
      const { promise: refusal, reject: refused } = rejection()
      const opening = Forwarder.open(source, dial, { onEvent: reporter(session, text, refused) })
      const forwarder = await reached(session, { ticket, via, flags }, opening)
      session.use(forwarder)
      session.bytes = forwarder.counters
      session.undone = () => forwarder.open > 0
      session.outlives = true
      output.result('forwarding', `forwarding ${forwarder.local}`, { local: forwarder.local })
      await Promise.race([stdoutFailed(), refusal])
    })
  } catch (error) {
    throw output.failed(error)
  }
}

/** For one who may be told before anybody listens. */
function rejection(): { readonly promise: Promise<never>; readonly reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<never>((_resolve, no) => {
    reject = no
  })
  promise.catch(() => {})
  return { promise, reject }
}

/** Why the connection with the remote peer ended is said by then. */
const ENDED = 'the connection with the remote peer ended'
const isClosed = (error: unknown): boolean => error instanceof ShowchainError && error.code === 'ERR_CLOSED'

/** @param refused told when somebody at the other end said no: calling again is of no use then */
function reporter(session: Session, called: string, refused: (error: Error) => void): (event: ForwarderEvent) => void {
  const { output } = session
  const failures = new Failures(output)
  return (event) => {
    switch (event.type) {
      case 'linked':
        failures.over()
        void event.connection.closed.then(() => {
          const failure = failureOf(event.connection)
          if (failure instanceof RefusedError) refused(failure)
        })
        return session.add(event.connection, called)
      case 'lost':
        return output.note('waiting', 'calling the remote peer again')
      case 'unreachable':
        return failures.say(`not reached: ${(event.error as Error).message}`)
      case 'opened':
        return failures.over()
      case 'too-large':
        return tooLarge(output, event)
      case 'failed':
        // That a program resets its connection is no failure of the tunnel.
        if (event.error instanceof TunnelError && event.error.reason === 'reset') return
        return failures.say(`not carried: ${isClosed(event.error) ? ENDED : (event.error as Error).message}`)
    }
  }
}
