/** Programs of the kernel's classic BPF for a socket (linux/bpf_common.h, linux/filter.h). */
import { type Libc, SOL_SOCKET } from './libc.ts'

/** Class, size and mode, or class, operation and source. */
export const OP_CODE = {
  loadLength: 0x80,
  loadByte: 0x30,
  loadTwo: 0x28,
  jumpAtLeast: 0x35,
  jumpAbove: 0x25,
  jumpEqual: 0x15,
  subtract: 0x14,
  returnValue: 0x06,
  returnLoaded: 0x16,
} as const

/** What a jump does where its condition holds, or not: to skip so many instructions. */
export interface Instruction {
  readonly code: number
  readonly value?: number
  readonly ifSo?: number
  readonly ifNot?: number
}

/** struct sock_filter: code (2), jump if so (1), jump if not (1), value (4). */
const INSTRUCTION_BYTES = 8
/** struct sock_fprog: count (2), padding (6), pointer (8). */
const PROGRAM_BYTES = 16

/** @param option SO_ATTACH_FILTER, … @returns whether the kernel takes it */
export function attach(libc: Libc, descriptor: number, option: number, instructions: readonly Instruction[]): boolean {
  const program = Buffer.alloc(instructions.length * INSTRUCTION_BYTES)
  for (const [index, { code, value = 0, ifSo = 0, ifNot = 0 }] of instructions.entries()) {
    const at = index * INSTRUCTION_BYTES
    program.writeUInt16LE(code, at)
    program.writeUInt8(ifSo, at + 2)
    program.writeUInt8(ifNot, at + 3)
    program.writeUInt32LE(value, at + 4)
  }
  const header = Buffer.alloc(PROGRAM_BYTES)
  header.writeUInt16LE(instructions.length)
  header.writeBigUInt64LE(libc.address(program), 8)
  // The kernel reads both before it returns.
  return libc.setsockopt(descriptor, SOL_SOCKET, option, header, header.length) === 0
}
