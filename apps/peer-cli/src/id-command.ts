/**
 * Commands that take ids. An id is base64url, and one in 64 begins with a hyphen: it is no option, nor a
 * group of them (`-V…` would print the version).
 */
import { Command, type OptionValueSource, type ParseOptionsResult } from 'commander'

/** In front of such an id while options are looked for. No argument of a program can have it. */
const COVER = '\0'
/** 43 characters in all; no option has as many. */
const ID = /^-[\w-]{42}$/
const covered = (argument: string): string => (ID.test(argument) ? `${COVER}${argument}` : argument)
const bare = (argument: string): string => (argument.startsWith(COVER) ? argument.slice(COVER.length) : argument)

export class IdCommand extends Command {
  override createCommand(name?: string): IdCommand {
    return new IdCommand(name)
  }

  override parseOptions(given: string[]): ParseOptionsResult {
    const { operands, unknown } = super.parseOptions(given.map(covered))
    return { operands: operands.map(bare), unknown: unknown.map(bare) }
  }

  override setOptionValueWithSource(key: string, value: unknown, source: OptionValueSource): this {
    const all = Array.isArray(value) ? value.map((each) => (typeof each === 'string' ? bare(each) : each)) : value
    return super.setOptionValueWithSource(key, typeof all === 'string' ? bare(all) : all, source)
  }
}
