/** `peer.ping`: a connection for one round trip. */
import { DEFAULT_TIMEOUT } from './async/deadline.ts'
import { checkPingOptions, type PingOptions } from './call-options.ts'
import type { Connection } from './connection.ts'
import type { Pong } from './connection-reports.ts'
import type { Clock } from './runtime/clock.ts'

export async function pingOnce(
  connect: (options: PingOptions) => Promise<Connection>,
  clock: Clock,
  options: PingOptions = {},
): Promise<Pong> {
  const { via, signal, timeout = DEFAULT_TIMEOUT } = checkPingOptions(options)
  const began = clock.now()
  await using connection = await connect({ via, signal, timeout })
  return await connection.ping({ signal, timeout: Math.max(0, timeout - (clock.now() - began)) })
}
