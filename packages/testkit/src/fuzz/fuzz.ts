/**
 * A seeded fuzzer of both decoders: takes golden datagrams, mutates them once to a few times and
 * judges what the codec makes of the result. The same seed gives the same inputs.
 */
import { JSON_BYTE } from '@showchain/wire'
import { SeededRandom } from '../sim/random.ts'
import { readMessages, readVectors } from '../vectors/files.ts'
import { fromHex } from '../vectors/hex.ts'
import { Dice } from './dice.ts'
import { judge } from './judge.ts'
import { BYTE_MUTATIONS, type Mutation } from './mutate-bytes.ts'
import { JSON_MUTATIONS } from './mutate-json.ts'

/** An input on which the codec is wrong. */
export interface FuzzFinding {
  /** Which input it was, counted from 0. */
  readonly input: number
  readonly what: string
  readonly datagram: Uint8Array
}

/** What a run found. */
export interface FuzzReport {
  readonly seed: number
  readonly inputs: number
  readonly accepted: number
  /** At most 10: then the fuzzer stops. */
  readonly findings: readonly FuzzFinding[]
}

const MAX_FINDINGS = 10
/** Mutations of one input. */
const MAX_MUTATIONS = 3
/** Mutated datagrams that were accepted go on being mutated; the oldest gives way. */
const MAX_DESCENDANTS = 500
/** One input in so many is JSON, which takes ten times as long. */
const JSON_SHARE = 8

/** Endless mutated datagrams. */
export class FuzzInputs {
  readonly #dice: Dice
  readonly #binary: Corpus
  readonly #json: Corpus

  constructor(seed: number) {
    this.#dice = new Dice(new SeededRandom(seed))
    const messages = readMessages()
    const accepted = readVectors('accepted.json').accepted.map((vector) => vector.datagram)
    const refused = readVectors('refused.json').refused.map((vector) => vector.datagram)
    this.#binary = new Corpus([...messages.map((vector) => vector.binary), ...refused])
    this.#json = new Corpus([...messages.map((vector) => vector.json), ...accepted, ...refused])
  }

  /** One mutated datagram. */
  next(): Uint8Array {
    const json = this.#dice.below(JSON_SHARE) === 0
    const corpus = json ? this.#json : this.#binary
    const mutations: readonly Mutation[] = json ? JSON_MUTATIONS : BYTE_MUTATIONS
    let bytes = corpus.pick(this.#dice)
    for (let left = 1 + this.#dice.below(MAX_MUTATIONS); left > 0; left--)
      bytes = this.#dice.pick(mutations)(bytes, this.#dice, corpus.pick(this.#dice))
    return bytes
  }

  /** Keeps an input that was accepted, to be mutated further. */
  keep(bytes: Uint8Array): void {
    const corpus = bytes[0] === JSON_BYTE ? this.#json : this.#binary
    corpus.keep(bytes)
  }
}

class Corpus {
  readonly #seeds: readonly Uint8Array[]
  readonly #descendants: Uint8Array[] = []
  #next = 0

  constructor(hex: readonly string[]) {
    this.#seeds = hex.map(fromHex)
  }

  pick(dice: Dice): Uint8Array {
    const fromSeeds = this.#descendants.length === 0 || dice.below(2) === 0
    return dice.pick(fromSeeds ? this.#seeds : this.#descendants)
  }

  keep(bytes: Uint8Array): void {
    this.#descendants[this.#next] = bytes
    this.#next = (this.#next + 1) % MAX_DESCENDANTS
  }
}

/**
 * Mutates golden datagrams, and tells on which the codec is wrong.
 * @param options `inputs`: how many datagrams to try
 */
export function fuzz({ seed, inputs }: { readonly seed: number; readonly inputs: number }): FuzzReport {
  const source = new FuzzInputs(seed)
  const findings: FuzzFinding[] = []
  let accepted = 0
  let input = 0
  for (; input < inputs && findings.length < MAX_FINDINGS; input++) {
    const datagram = source.next()
    const verdict = judge(datagram)
    if (verdict.what !== undefined) findings.push({ input, what: verdict.what, datagram })
    if (!verdict.accepted) continue
    accepted++
    source.keep(datagram)
  }
  return { seed, inputs: input, accepted, findings }
}
