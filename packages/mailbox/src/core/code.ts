/**
 * Codes that people read to each other: the number of a slot and two words, `7-orbit-velvet`. The
 * words are those of BIP 39 in English, 2,048: any two are one of 2^22. Their first four letters tell
 * them apart.
 */
import { wordlist } from '@scure/bip39/wordlists/english.js'
import type { Random } from '@showchain/crypto/core'
import { quote, ShowchainError } from '@showchain/wire'
import { MAX_NUMBER } from './limits.ts'

/** Letters that tell each word from all others. */
const TELLING = 4

/** A short code: a number, which is public, and words, which are not. */
export interface Code {
  readonly number: number
  /** The secret: two words with a hyphen between them. */
  readonly words: string
}

/** 2,048 divides 2^32: every word is as likely. */
const word = (random: Pick<Random, 'uint32'>): string => wordlist[random.uint32() % wordlist.length] as string

export const newWords = (random: Pick<Random, 'uint32'>): string => `${word(random)}-${word(random)}`

export const formatCode = ({ number, words }: Code): string => `${number}-${words}`

/**
 * Reads a code as people type it: in capitals, with spaces, or with the first four letters of a word.
 * A word that there is not is refused here, and does not spend the code.
 *
 * @throws ShowchainError `ERR_BAD_CODE`
 */
export function parseCode(text: string): Code {
  const parts = text
    .trim()
    .toLowerCase()
    .split(/[\s\-–_.,]+/)
  const [numberText = '', first = '', second = ''] = parts
  const number = /^[0-9]{1,4}$/.test(numberText) ? Number(numberText) : 0
  if (parts.length !== 3 || number < 1 || number > MAX_NUMBER)
    throw new ShowchainError('ERR_BAD_CODE', `Got ${quote(text)}.`)
  return { number, words: `${wordFor(first)}-${wordFor(second)}` }
}

/**
 * What somebody may be typing: the beginning of a code, in small letters and with hyphens, to the end
 * of the word that has begun; a hyphen follows the first word. Nothing before its first letter.
 */
export function completeCode(text: string): readonly string[] {
  const [, before = '', first, begun = ''] = /^([0-9]{1,4}-(?:([a-z]+)-)?)([a-z]+)$/.exec(text) ?? []
  if (begun === '' || (first !== undefined && !wordlist.includes(first))) return []
  const end = first === undefined ? '-' : ''
  return wordlist.filter((each) => each.startsWith(begun)).map((each) => `${before}${each}${end}`)
}

function wordFor(text: string): string {
  const found = wordlist.includes(text)
    ? text
    : text.length >= TELLING
      ? wordlist.find((each) => each.startsWith(text))
      : undefined
  if (found === undefined) throw new ShowchainError('ERR_BAD_CODE', `No code has the word ${quote(text)}.`)
  return found
}
