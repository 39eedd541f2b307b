/**
 * Drops in the kernel what is no message of ours, before it takes room in the socket: a program of classic
 * BPF, which the kernel runs over the UDP header and what follows. What it lets in is looked at again by who
 * reads it; the program only has to know what cannot be one.
 *
 *   0xB1 | op code          binary: the first byte of all op codes
 *   {    | " or white space JSON
 *   0xB3                    a channel frame
 *   0x00 … 0x03             STUN
 */
import {
  BINARY_BYTE,
  CHANNEL_BYTE,
  JSON_BYTE,
  MAX_PROBED_DATAGRAM,
  MAX_STUN_BYTE,
  OP,
  STUN_HEADER_BYTES,
} from '@showchain/wire'
import { CHANNEL_HEADER_BYTES } from '@showchain/wire/end-to-end'
import { attach, type Instruction, OP_CODE } from './bpf.ts'
import { type Libc, SO_ATTACH_FILTER } from './libc.ts'

const UDP_HEADER_BYTES = 8
/** Version byte, op code, seq and ts: all messages have these. */
const MIN_MESSAGE = 1 + 2 + 8 + 8
/** Between the brace and the first name of a JSON object (RFC 8259 §2). */
const JSON_SECONDS: readonly number[] = [...'" \t\n\r'].map((character) => character.charCodeAt(0))
/** Bytes that are let in. */
const ALL = 0xffff_ffff

type Goal = 'in' | 'out' | 'binary' | 'json' | 'channel'
/** An instruction; without a goal it goes on with the next one. */
type Step = readonly [code: number, value: number, ifSo?: Goal | undefined, ifNot?: Goal | undefined]

/** A load from behind the end drops the datagram, as it should. */
const BYTE = (at: number): Step => [OP_CODE.loadByte, UDP_HEADER_BYTES + at]
const LENGTH: Step = [OP_CODE.loadLength, 0]
const IS = (value: number, ifSo?: Goal, ifNot?: Goal): Step => [OP_CODE.jumpEqual, value, ifSo, ifNot]
const AT_LEAST = (bytes: number): Step => [OP_CODE.jumpAtLeast, UDP_HEADER_BYTES + bytes, 'in', 'out']

const BLOCKS: readonly (readonly [name: Goal | undefined, steps: readonly Step[]])[] = [
  [
    undefined,
    [
      LENGTH,
      // A train, of which this program sees the first datagram alone (UDP_GRO).
      [OP_CODE.jumpAbove, UDP_HEADER_BYTES + MAX_PROBED_DATAGRAM, 'in'],
      BYTE(0),
      IS(CHANNEL_BYTE, 'channel'),
      IS(BINARY_BYTE, 'binary'),
      IS(JSON_BYTE, 'json'),
      [OP_CODE.jumpAbove, MAX_STUN_BYTE, 'out'],
      LENGTH,
      AT_LEAST(STUN_HEADER_BYTES),
    ],
  ],
  ['channel', [LENGTH, AT_LEAST(CHANNEL_HEADER_BYTES)]],
  // All op codes of the table are of this page.
  ['binary', [BYTE(1), IS(OP.keepAlive >> 8, undefined, 'out'), LENGTH, AT_LEAST(MIN_MESSAGE)]],
  ['json', [BYTE(1), ...JSON_SECONDS.map((second) => IS(second, 'in'))]],
  ['out', [[OP_CODE.returnValue, 0]]],
  ['in', [[OP_CODE.returnValue, ALL]]],
]

/** Jumps go forward alone, by a number of instructions. */
function program(): readonly Instruction[] {
  const steps = BLOCKS.flatMap(([, block]) => block)
  const starts = new Map<Goal | undefined, number>()
  let next = 0
  for (const [name, block] of BLOCKS) {
    starts.set(name, next)
    next += block.length
  }
  const distance = (from: number, goal: Goal | undefined): number =>
    goal === undefined ? 0 : (starts.get(goal) as number) - from - 1
  return steps.map(([code, value, ifSo, ifNot], index) => ({
    ...{ code, value },
    ifSo: distance(index, ifSo),
    ifNot: distance(index, ifNot),
  }))
}

/** @returns whether the kernel does it */
export const keepDoor = (libc: Libc, descriptor: number): boolean =>
  attach(libc, descriptor, SO_ATTACH_FILTER, program())
