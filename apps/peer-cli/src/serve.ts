/** `showchain serve`: lets those who have its ticket reach one target of this host. */
import type { Connection } from '@showchain/client'
import { CODES, PROTOCOLS, type ServerEvent, TunnelServer, targetAt } from '@showchain/tunnel'
import { argument } from './argument.ts'
import { acceptOf } from './contacts.ts'
import { printTicket } from './listen.ts'
import type { PeerFlags } from './open-peer.ts'
import { outputFor } from './output.ts'
import { type Session, withPeer } from './session.ts'
import { Strangers } from './strangers.ts'
import { Failures, tooLarge } from './tunnels.ts'

export interface ServeFlags extends PeerFlags {
  readonly allow?: readonly string[]
}

/** Serves until a signal. */
export async function serve(text: string, flags: ServeFlags): Promise<void> {
  const output = outputFor(flags)
  try {
    const target = await argument(() => targetAt(text))
    const accept = acceptOf(flags)
    const work = async (session: Session): Promise<void> => {
      const server = session.use(new TunnelServer(target, { onEvent: reporter(session) }))
      session.bytes = server.counters
      session.undone = () => server.open > 0
      session.outlives = true
      const strangers = Strangers.of(output, flags)
      const admit = async (connection: Connection): Promise<void> => {
        if (!(await strangers.admits(connection))) return
        void server.serve(connection)
        void refuseOthers(connection)
      }
      await printTicket(session, flags, strangers)
      for await (const connection of session.peer.incoming) {
        session.add(connection)
        void admit(connection)
      }
    }
    await withPeer(flags, output, accept, work, Object.values(PROTOCOLS))
  } catch (error) {
    throw output.failed(error)
  }
}

/** Streams without a name, as of `showchain connect`. */
async function refuseOthers({ streams }: Connection): Promise<void> {
  for await (const stream of streams) {
    stream.abort()
    stream.cancel()
  }
}

/** That a program resets its connection is no failure of the tunnel. */
function reporter({ output }: Session): (event: ServerEvent) => void {
  const failures = new Failures(output)
  return (event) => {
    if (event.type === 'opened') failures.over()
    else if (event.type === 'too-large') tooLarge(output, event)
    else if (event.reason !== 'reset' && event.reason !== 'closing') {
      const { reason, cause, connection } = event
      failures.say(sentenceOf(event), { reason, peer: connection.remoteId, cause: causeOf(cause) })
    }
  }
}

const causeOf = (cause: unknown): string | undefined => (cause instanceof Error ? cause.message : undefined)

function sentenceOf({ reason, cause }: Extract<ServerEvent, { type: 'failed' }>): string {
  const detail = causeOf(cause)
  return `not carried: ${CODES[reason].why}${detail === undefined ? '' : ` (${detail})`}`
}
