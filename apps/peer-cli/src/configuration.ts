/**
 * `config.yaml` beside the default identity: options of the commands, for all runs. A flag and the
 * environment come first. What is checked of a flag is checked of these, and an unknown key is refused.
 */
import { readFileSync } from 'node:fs'
import { quote } from '@showchain/wire'
import type { Command } from 'commander'
import { parse } from 'yaml'
import * as z from 'zod'
import { UsageError } from './failures.ts'
import { didYouMean } from './near.ts'

/** As a flag has it: text. */
const text = z.string('is a text').min(1, 'is a text that is not empty')
const number = z.number('is a number').transform(String)
const yes = z.boolean('is true or false')
const texts = z.union([text.transform((one) => [one]), z.array(text)], 'is a text, or a list of texts')

/** By the names of their flags, in camel case as in the relay's file. */
const schema = z
  .strictObject(
    {
      relay: texts,
      allow: texts,
      out: text,
      policy: text,
      via: text,
      host: text,
      port: number,
      keepAlive: number,
      timeout: number,
      deadAfter: number,
      lan: yes,
      lanDiscovery: yes,
      lab: yes,
      asMe: yes,
      portMapping: yes,
    },
    'has options, one a line, such as `timeout: 60`',
  )
  .partial()

/**
 * Gives a command those options that it has, and that nobody gave it.
 * @param path a file that is there
 * @returns where each is from, by its name
 * @throws UsageError
 */
export function configure(command: Command, path: string): Readonly<Record<string, string>> {
  const from: Record<string, string> = {}
  const options = new Set(command.options.map((option) => option.attributeName()))
  for (const [name, value] of Object.entries(read(path))) {
    if (!options.has(name) || value === undefined || isGiven(command, name)) continue
    command.setOptionValueWithSource(name, value, 'config')
    from[name] = `${path}: ${name}`
  }
  return from
}

/** By a flag, or by a variable of the environment that says anything. */
function isGiven(command: Command, name: string): boolean {
  const source = command.getOptionValueSource(name)
  const value: unknown = command.getOptionValue(name)
  return source === 'cli' || (source === 'env' && !(Array.isArray(value) && value.length === 0))
}

function read(path: string): z.infer<typeof schema> {
  let content: unknown
  try {
    content = parse(readFileSync(path, 'utf8')) ?? {}
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message.split('\n')[0]}`)
  }
  const { data, error } = schema.safeParse(content)
  if (data !== undefined) return data
  throw new UsageError(`${path}: ${error.issues.map((issue) => sentenceOf(issue, content)).join('; ')}`)
}

const NAMES = Object.keys(schema.shape)

function sentenceOf(issue: z.core.$ZodIssue, content: unknown): string {
  const [name] = issue.path
  if (issue.code === 'unrecognized_keys')
    return `${issue.keys.map((key) => `there is no option ${quote(key)}${didYouMean(key, NAMES)}`).join('; ')}; there are ${NAMES.join(', ')}`
  if (name === undefined) return `it ${issue.message}`
  return `${String(name)} ${issue.message}, not ${quote((content as Record<PropertyKey, unknown>)[name])}`
}
