/** The commands of the program as rows, read from commander: what completion and man pages are made of. */
import { KEY_BITS } from '@showchain/crypto'
import type { Command, Help, Option } from 'commander'
import { WAYS } from '../connect.ts'
import { ACTIONS } from '../contact.ts'
import { ENCODINGS, POLICIES } from '../open-peer.ts'

/** Those that there is a script for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** What a value may be: files and folders, some words, or anything. */
export type Value = 'file' | 'any' | readonly string[]

export interface OptionRow {
  /** With their hyphens, the short one first. */
  readonly names: readonly string[]
  /** Undefined: it takes no value. */
  readonly value: Value | undefined
  /** As help shows it: `-c, --count <n>`. */
  readonly flags: string
  readonly description: string
}

export interface CommandRow {
  readonly name: string
  /** What follows the name: `[options] <ticket>`. */
  readonly usage: string
  readonly description: string
  readonly options: readonly OptionRow[]
  readonly arguments: readonly { readonly name: string; readonly description: string }[]
  /** What its arguments may be; undefined: it has none. */
  readonly takes: Value | undefined
}

export interface Table {
  /** The program itself: its options stand before a command. */
  readonly program: CommandRow
  readonly commands: readonly CommandRow[]
}

/** Options and arguments that are one of some words. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  action: ACTIONS,
  shell: SHELLS,
  '--bits': KEY_BITS.map(String),
  '--encoding': ENCODINGS,
  '--policy': POLICIES,
  '--via': WAYS,
}
/** Names of values, as help shows them, that are files or folders. */
const FILES = /^(file|folder|path)s?$/

const possible = (name: string, words: readonly string[] | undefined): Value =>
  words ?? (FILES.test(name) ? 'file' : 'any')

function optionRow(option: Option, help: Help): OptionRow {
  const { short, long, required, optional, flags, argChoices } = option
  const name = /[<[]([^.>\]]+)/.exec(flags)?.[1] ?? ''
  return {
    names: [short, long].flatMap((each) => each ?? []),
    value: required || optional ? possible(name, argChoices ?? WORDS[long ?? '']) : undefined,
    ...{ flags, description: help.optionDescription(option) },
  }
}

function commandRow(command: Command): CommandRow {
  const help = command.createHelp()
  const [argument] = command.registeredArguments
  return {
    name: command.name(),
    usage: command.usage(),
    description: command.description(),
    options: help.visibleOptions(command).map((option) => optionRow(option, help)),
    arguments: command.registeredArguments.map((each) => ({ name: each.name(), description: each.description })),
    takes: argument && possible(argument.name(), argument.argChoices ?? WORDS[argument.name()]),
  }
}

export function tableOf(root: Command): Table {
  return { program: commandRow(root), commands: root.createHelp().visibleCommands(root).map(commandRow) }
}
