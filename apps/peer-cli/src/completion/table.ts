/** The commands of the program as rows, read from commander: what completion and man pages are made of. */
import { KEY_BITS } from '@showchain/crypto'
import type { Argument, Command, Help, Option } from 'commander'
import { WAYS } from '../connect.ts'
import { ACTIONS } from '../contact.ts'
import { ENCODINGS, POLICIES } from '../open-peer.ts'

/** Those that there is a script for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const

/** What a value may be: files and folders, a contact, a contact or a code, some words, or anything. */
export type Value = 'file' | Asked | 'any' | readonly string[]

/** What the program itself tells the shell, by its hidden command `complete`. */
export const ASKED = ['contact', 'code'] as const
export type Asked = (typeof ASKED)[number]

export const isAsked = (value: Value | undefined): value is Asked => ASKED.some((each) => each === value)

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
  /** What its first argument may be; undefined: it has none. */
  readonly takes: Value | undefined
  /** What any of its arguments may be as well. */
  readonly asks: Asked | undefined
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
/** Options and arguments that take the name of a contact, or that and a code. */
const NAMES: Readonly<Record<string, Asked>> = {
  ticket: 'contact',
  name: 'contact',
  '--allow': 'contact',
  code: 'code',
  '--to': 'code',
}
/** Names of values, as help shows them, that are files or folders. */
const FILES = /^(file|folder|path)s?$/

const possible = (name: string, words: readonly string[] | undefined, option = name): Value =>
  words ?? NAMES[option] ?? (FILES.test(name) ? 'file' : 'any')

function optionRow(option: Option, help: Help): OptionRow {
  const { short, long, required, optional, flags, argChoices } = option
  const name = /[<[]([^.>\]]+)/.exec(flags)?.[1] ?? ''
  return {
    names: [short, long].flatMap((each) => each ?? []),
    value: required || optional ? possible(name, argChoices ?? WORDS[long ?? ''], long) : undefined,
    ...{ flags, description: help.optionDescription(option) },
  }
}

const mayBe = (argument: Argument): Value => possible(argument.name(), argument.argChoices ?? WORDS[argument.name()])

function commandRow(command: Command): CommandRow {
  const help = command.createHelp()
  const [argument] = command.registeredArguments
  const asked = command.registeredArguments.map(mayBe).filter(isAsked)
  return {
    name: command.name(),
    usage: command.usage(),
    description: command.description(),
    options: help.visibleOptions(command).map((option) => optionRow(option, help)),
    arguments: command.registeredArguments.map((each) => ({ name: each.name(), description: each.description })),
    takes: argument && mayBe(argument),
    asks: asked[0],
  }
}

export function tableOf(root: Command): Table {
  return { program: commandRow(root), commands: root.createHelp().visibleCommands(root).map(commandRow) }
}
