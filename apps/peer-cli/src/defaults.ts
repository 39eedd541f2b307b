/** What options have unless told otherwise, for the help and for the commands. */
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Seconds of silence after which a remote peer counts as dead. While it owes an acknowledgement it
 * is a third of this. A person at a terminal wants to know.
 */
export const DEAD_AFTER = 30

/** By the XDG base directory specification. */
export function defaultIdentity(environment: NodeJS.ProcessEnv = process.env): string {
  return join(environment.XDG_CONFIG_HOME || join(homedir(), '.config'), 'showchain', 'identity.pem')
}
