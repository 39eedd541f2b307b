/**
 * Which of the sockets on one address gets a datagram: a program of the kernel's classic BPF, which it runs
 * for each datagram over what follows the UDP header. What the program does not choose a socket for, the
 * kernel spreads by the addresses of both ends, as without a program (since Linux 4.19 at the latest).
 */
import { type Libc, SO_ATTACH_REUSEPORT_CBPF, SOL_SOCKET } from './libc.ts'

/** Datagrams that begin with a byte name the process that they are for, by its number and that of the first one. */
export interface Steering {
  readonly begins: number
  /** Shorter ones are spread. */
  readonly length: number
  /** Where the number is: two bytes, big-endian. */
  readonly at: number
  readonly first: number
}

/** Instructions (linux/bpf_common.h): class, size and mode, or class, operation and source. */
const OP_CODE = {
  loadLength: 0x80,
  loadByte: 0x30,
  loadTwo: 0x28,
  jumpAtLeast: 0x35,
  jumpEqual: 0x15,
  subtract: 0x14,
  returnValue: 0x06,
  returnLoaded: 0x16,
} as const
/** No socket has this number. */
const NONE_OF_THEM = 0xffff_ffff
/** struct sock_filter: code (2), jump if so (1), jump if not (1), value (4). */
const INSTRUCTION_BYTES = 8
/** struct sock_fprog: count (2), padding (6), pointer (8). */
const PROGRAM_BYTES = 16

/** The instructions, of which each jump goes to the last one. */
function steeringProgram({ begins, length, at, first }: Steering): Buffer {
  const steps: readonly (readonly [code: number, jumps: boolean, value: number])[] = [
    [OP_CODE.loadLength, false, 0],
    // A load from behind the end would choose the first socket.
    [OP_CODE.jumpAtLeast, true, length],
    [OP_CODE.loadByte, false, 0],
    [OP_CODE.jumpEqual, true, begins],
    [OP_CODE.loadTwo, false, at],
    // Of smaller numbers what is left is no socket's either.
    [OP_CODE.subtract, false, first],
    [OP_CODE.returnLoaded, false, 0],
    [OP_CODE.returnValue, false, NONE_OF_THEM],
  ]
  const program = Buffer.alloc(steps.length * INSTRUCTION_BYTES)
  for (const [index, [code, jumps, value]] of steps.entries()) {
    const from = index * INSTRUCTION_BYTES
    program.writeUInt16LE(code, from)
    program.writeUInt8(jumps ? steps.length - 2 - index : 0, from + 3)
    program.writeUInt32LE(value, from + 4)
  }
  return program
}

/** For all sockets on the address of this one. @returns whether the kernel does it */
export function steer(libc: Libc, descriptor: number, steering: Steering): boolean {
  const program = steeringProgram(steering)
  const header = Buffer.alloc(PROGRAM_BYTES)
  header.writeUInt16LE(program.length / INSTRUCTION_BYTES)
  header.writeBigUInt64LE(libc.address(program), 8)
  // The kernel reads both before it returns.
  return libc.setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, header, header.length) === 0
}
