/**
 * What comes before every command: options of the configuration, and where each one is from that no
 * flag gave. Imports little: also what only prints something needs it.
 */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { configurationFile } from './defaults.ts'
import { UsageError } from './failures.ts'

/** @throws UsageError */
export async function prepare(command: Command): Promise<void> {
  const file = configurationFile()
  const from = existsSync(file) ? (await import('./configuration.ts')).configure(command, file) : {}
  // As of `--relay "$RELAY"` where nothing has set that: others would be told a ticket without a relay.
  if (command.getOptionValueSource('relay') === 'cli' && command.getOptionValue('relay').length === 0)
    throw new UsageError('--relay is empty: it takes the ticket of a relay')
  command.setOptionValue('from', { ...variablesOf(command), ...from })
}

/** The variables of the environment that options are from. */
const variablesOf = (command: Command): Readonly<Record<string, string>> =>
  Object.fromEntries(
    command.options.flatMap((option) => {
      const name = option.attributeName()
      return command.getOptionValueSource(name) === 'env' ? [[name, option.envVar ?? name]] : []
    }),
  )
