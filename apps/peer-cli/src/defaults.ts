/** What options have unless told otherwise, for the help and for the commands. */
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Seconds of silence after which a remote peer counts as dead. While it owes an acknowledgement it
 * is a third of this. A person at a terminal wants to know.
 */
export const DEAD_AFTER = 30

/** A file of this program's, by the XDG base directory specification. */
const configFile = (name: string, environment: NodeJS.ProcessEnv): string =>
  join(environment.XDG_CONFIG_HOME || join(homedir(), '.config'), 'showchain', name)

export const defaultIdentity = (environment: NodeJS.ProcessEnv = process.env): string =>
  configFile('identity.pem', environment)
export const contactsFile = (): string => configFile('contacts.json', process.env)
export const configurationFile = (): string => configFile('config.yaml', process.env)
