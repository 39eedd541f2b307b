/** Mutations that know bytes and where a binary message keeps its lengths. */
import { MESSAGES } from '@showchain/wire'
import type { Dice } from './dice.ts'

/** @param other another datagram, to splice with. */
export type Mutation = (bytes: Uint8Array, dice: Dice, other: Uint8Array) => Uint8Array

const OPS = MESSAGES.map((row) => row.op)
/** Lengths at the limits of fields, and what signed and narrow integers make of them. */
const LENGTHS = [0, 1, 2, 31, 32, 64, 65, 255, 256, 257, 384, 512, 600, 601, 1200, 1201, 0x7fff, 0x8000, 0xffff]
const BYTES = [0, 1, 4, 6, 0x22, 0x2c, 0x5c, 0x7b, 0x7d, 0x7f, 0x80, 0xb1, 0xff]

const at = (bytes: Uint8Array, dice: Dice): number => dice.below(Math.max(bytes.length, 1))

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let next = 0
  for (const part of parts) {
    out.set(part, next)
    next += part.length
  }
  return out
}

function writeU16(bytes: Uint8Array, position: number, value: number): Uint8Array {
  const out = bytes.slice()
  if (position + 1 < out.length) {
    out[position] = value >>> 8
    out[position + 1] = value
  }
  return out
}

export const flipBit: Mutation = (bytes, dice) => {
  const out = bytes.slice()
  const index = at(out, dice)
  if (index < out.length) out[index] = (out[index] as number) ^ (1 << dice.below(8))
  return out
}
const setByte: Mutation = (bytes, dice) => {
  const out = bytes.slice()
  const index = at(out, dice)
  if (index < out.length) out[index] = dice.pick(BYTES)
  return out
}
export const truncate: Mutation = (bytes, dice) => bytes.slice(0, at(bytes, dice))
const append: Mutation = (bytes, dice) => join(bytes, Uint8Array.of(dice.pick(BYTES)))
export const remove: Mutation = (bytes, dice) => {
  const from = at(bytes, dice)
  return join(bytes.subarray(0, from), bytes.subarray(from + 1 + dice.below(8)))
}
export const repeat: Mutation = (bytes, dice) => {
  const from = at(bytes, dice)
  const to = from + 1 + dice.below(40)
  return join(bytes.subarray(0, to), bytes.subarray(from))
}
export const splice: Mutation = (bytes, dice, other) =>
  join(bytes.subarray(0, at(bytes, dice)), other.subarray(at(other, dice)))
/** Keeps positions: the head of one and the tail of the other at the same place. */
const graft: Mutation = (bytes, dice, other) => {
  const cut = at(bytes, dice)
  return join(bytes.subarray(0, cut), other.subarray(Math.min(cut, other.length)))
}
const editLength: Mutation = (bytes, dice) => writeU16(bytes, at(bytes, dice), dice.pick(LENGTHS))
/** A length that is off by a little. */
const bumpLength: Mutation = (bytes, dice) => {
  const position = at(bytes, dice)
  const value = ((bytes[position] ?? 0) << 8) | (bytes[position + 1] ?? 0)
  return writeU16(bytes, position, value + dice.below(5) - 2)
}
const changeOp: Mutation = (bytes, dice) => writeU16(bytes, 1, dice.pick(OPS))
/** An extension field behind everything: any type, a length that fits more often than not. */
const addField: Mutation = (bytes, dice) => {
  const value = new Uint8Array(dice.below(36)).fill(dice.below(256))
  const length = dice.below(4) === 0 ? dice.pick(LENGTHS) : value.length
  return join(bytes, Uint8Array.of(dice.below(dice.pick([9, 256])), length >>> 8, length), value)
}

export const BYTE_MUTATIONS: readonly Mutation[] = [
  flipBit,
  flipBit,
  setByte,
  truncate,
  append,
  remove,
  repeat,
  splice,
  graft,
  editLength,
  bumpLength,
  changeOp,
  addField,
]
