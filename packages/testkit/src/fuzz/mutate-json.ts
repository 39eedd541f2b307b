/**
 * Mutations that know the text of a flat JSON object, and above all what `JSON.parse` does not see.
 */
import { EXTENSIONS, FIELDS, MESSAGES } from '@showchain/wire'
import type { Dice } from './dice.ts'
import { flipBit, type Mutation, remove, repeat, splice, truncate } from './mutate-bytes.ts'

/** The text of a datagram, one character per byte, so that broken UTF-8 survives. */
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const onText =
  (change: (text: string, dice: Dice) => string): Mutation =>
  (bytes, dice) =>
    Uint8Array.from(Buffer.from(change(textOf(bytes), dice), 'latin1'))

const NUMBERS = [
  '0',
  '-0',
  '1',
  '01',
  '1.0',
  '1e0',
  '1e3',
  '-1',
  '9007199254740991',
  '9007199254740992',
  '1e400',
  '65536',
]
const VALUES = [
  ...NUMBERS,
  'null',
  'true',
  '""',
  '"AA"',
  '"AB"',
  '"AA=="',
  '[]',
  '[[1]]',
  '{}',
  '{"a":"}"}',
  '"\\u0041"',
  '"\\"',
]
const NAMES = [
  'op_code',
  ...Object.keys(FIELDS),
  ...Object.keys(EXTENSIONS),
  ...['ext', 'ext0', 'ext1', 'ext03', 'ext200', 'ext256', '__proto__', 'constructor', 'toString', '', 'x', 's\\u0065q'],
]
const OPS = MESSAGES.map((row) => String(row.op))
const FRAGMENTS = [
  '"',
  '\\',
  '\\u',
  '\\ud800',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  ' ',
  '\n',
  '\0',
  '\xff',
  '\xc3\xa9',
  '\xef\xbb\xbf',
  '/**/',
]

/** One member of a flat object: its name, then its value. */
const MEMBER = /"([a-z_0-9]+)":("[^"\\]*"|[^,}"]+)/g

/** Writes one member anew; leaves a text without members alone. */
const onMember = (change: (name: string, value: string, dice: Dice) => string): Mutation =>
  onText((text, dice) => {
    const members = [...text.matchAll(MEMBER)]
    if (members.length === 0) return text
    const [whole, name = '', value = ''] = dice.pick(members) as unknown as readonly [string, string?, string?]
    const start = text.indexOf(whole)
    return text.slice(0, start) + change(name, value, dice) + text.slice(start + whole.length)
  })

const otherValue = onMember((name, _value, dice) => `"${name}":${dice.pick(VALUES)}`)
const otherName = onMember((_name, value, dice) => `"${dice.pick(NAMES)}":${value}`)
const otherOp = onText((text, dice) => text.replace(/"op_code":[0-9]+/, () => `"op_code":${dice.pick(OPS)}`))
const twice = onMember((name, value) => `"${name}":${value},"${name}":${value}`)
const escapedName = onMember((name, value, dice) => {
  const index = dice.below(name.length)
  const written = `\\u00${name.charCodeAt(index).toString(16).padStart(2, '0')}`
  return `"${name.slice(0, index)}${written}${name.slice(index + 1)}":${value}`
})
const escapedValue = onMember((name, value) =>
  value.length < 3 ? `"${name}":${value}` : `"${name}":"\\u00${value.charCodeAt(1).toString(16)}${value.slice(2)}`,
)
const oneCharacterOff = onMember((name, value, dice) => {
  const index = dice.below(value.length)
  return `"${name}":${value.slice(0, index)}${dice.pick(['A', 'B', '-', '=', '7', '.', ''])}${value.slice(index + 1)}`
})
const white = onMember((name, value, dice) => `${dice.pick([' ', '\t', '\r\n'])}"${name}" :\n${value} `)
const moreMembers = onMember((name, value, dice) => `"${name}":${value},"${dice.pick(NAMES)}":${dice.pick(VALUES)}`)
const fragment = onText((text, dice) => {
  const position = dice.below(text.length + 1)
  return text.slice(0, position) + dice.pick(FRAGMENTS) + text.slice(position)
})

export const JSON_MUTATIONS: readonly Mutation[] = [
  otherValue,
  otherName,
  otherOp,
  twice,
  escapedName,
  escapedValue,
  oneCharacterOff,
  white,
  moreMembers,
  fragment,
  flipBit,
  truncate,
  remove,
  repeat,
  splice,
]
